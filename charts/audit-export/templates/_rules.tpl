{{/* Generated from crds/rbac.yaml by `npm run generate`: change it there. */}}
{{- define "audit-export.rules.collector" -}}
- apiGroups:
    - auditexport.dev
  resources:
    - auditexportconfigs
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - auditexport.dev
  resources:
    - auditexportconfigs/status
  verbs:
    - patch
- apiGroups:
    - ""
  resources:
    - secrets
  verbs:
    - get
    - watch
- apiGroups:
    - events.k8s.io
  resources:
    - events
  verbs:
    - create
    - patch
{{- end -}}

{{- define "audit-export.rules.page" -}}
- apiGroups:
    - auditexport.dev
  resources:
    - auditexportconfigs
  verbs:
    - create
    - patch
    - delete
- apiGroups:
    - ""
  resources:
    - secrets
  verbs:
    - create
    - patch
    - delete
{{- end -}}

{{- define "audit-export.rules.view" -}}
- apiGroups:
    - auditexport.dev
  resources:
    - auditexportconfigs
    - auditexportconfigs/status
  verbs:
    - get
    - list
    - watch
{{- end -}}

{{- define "audit-export.rules.edit" -}}
- apiGroups:
    - auditexport.dev
  resources:
    - auditexportconfigs
  verbs:
    - create
    - update
    - patch
    - delete
    - deletecollection
{{- end -}}
