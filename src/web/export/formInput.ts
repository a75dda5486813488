/** What the parts of the form's view are made from. */
import type { EditableConfig, FieldProblem } from '../../configs/configEditor.ts';
import type { ConflictView, NoticeView, TestView } from '../views/exportViews.ts';
import type { ExportForm } from './exportForm.ts';

/** What is said about a form. */
export interface FormRemarks {
  readonly problems?: readonly FieldProblem[];
  readonly notices?: readonly NoticeView[];
  readonly conflict?: ConflictView;
  readonly test?: TestView;
  /** The row whose name gets the focus; default: none. */
  readonly newRow?: number;
}

export interface FormInput extends FormRemarks {
  readonly organization: string;
  readonly form: ExportForm;
  /** null: it is a new one. */
  readonly current: EditableConfig | null;
}
