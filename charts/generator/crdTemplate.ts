/**
 * The CRD as a template. Helm never upgrades what lies in a chart's folder crds/, so it is one of the templates: made from
 * crds/, and only in `crds.enabled` and `crds.keep` different from it.
 */
const name = '  name: auditexportconfigs.auditexport.dev\n';

export function makeCrdTemplate(crd: string): string {
  if (!crd.includes(name))
    throw new Error('The CRD has another name: correct it in charts/generator/crdTemplate.ts.');
  // What Helm would take for its own.
  const text = crd.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
  const [comment, ...lines] = text.split('\n');
  if (!comment?.startsWith('#')) throw new Error('The CRD does not begin with its comment.');
  const body = lines.join('\n').replace(
    name,
    `${name}  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
`,
  );
  return `# Made by charts/generate.ts from crds/: change it there.
{{- if .Values.crds.enabled }}
${body.trimEnd()}
{{- end }}
`;
}
