/**
 * The CRD as a template. Helm never upgrades the files in a chart's folder crds/, so the CRD is one of the templates:
 * generated from crds/, with `crds.enabled` and `crds.keep` added.
 */
const name = '  name: auditexportconfigs.auditexport.dev\n';

export function makeCrdTemplate(crd: string): string {
  if (!crd.includes(name))
    throw new Error('The CRD has another name: correct it in charts/generator/crdTemplate.ts.');
  // Helm would evaluate these braces.
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
  return `# Generated from crds/ by \`npm run generate\`: change it there.
{{- if .Values.crds.enabled }}
${body.trimEnd()}
{{- end }}
`;
}
