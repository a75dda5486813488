/** What a person may do with the running demo. */
import { join, relative } from 'node:path';
import { organizations } from './product/cast.ts';

export interface LegendFacts {
  readonly productUrl: string;
  /** Sees everything. */
  readonly superuserUrl: string;
  readonly configDirectory: string;
  readonly operationsUrl: string;
  readonly logFile: string;
  /** Lines typed become entries. */
  readonly takesNotes: boolean;
}

export function describeDemo(facts: LegendFacts): string {
  const configs = showPath(facts.configDirectory);
  const names = organizations.map(({ name }) => name).join(', ');
  const note = facts.takesNotes ? '  or             type something here and press Enter\n' : '';
  return `
Audit Export runs. A sample product writes entries; each is sent to the receiver, which prints it below.

  Write an entry psql '${facts.productUrl}' -c "insert into audit.entries (organization, event_type, metadata) values ('acme', 'demo.hello', '{\\"n\\": 42}')"
${note}  Configure      ${join(configs, 'acme.yaml')} (one for each of ${names})
  See its status ${join(configs, 'acme.status.yaml')}
  Try            In acme.yaml change the port of the endpoint to 1: entries of acme wait, and the status says why.
                 Change it back: all of them arrive, none twice. Other organizations never noticed.
                 Or change the secret ${join(configs, 'secrets', 'acme', 'authorization')}: the receiver answers 401.
  Operations     ${facts.operationsUrl}/metrics, /readyz and /livez; the log is ${showPath(facts.logFile)}
  Look inside    psql '${facts.superuserUrl}' -c "select organization, delivered, sequence from audit.streams"
  Stop           Ctrl-C (the data stays; start again with npm start)

`;
}

/** As it is typed from the working directory. */
function showPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown.startsWith('..') ? path : shown;
}
