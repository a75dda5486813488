{{/* The environment of the collector: what the chart decides, then `settings` by name, then what is added. */}}
{{- define "audit-export.environment" -}}
- name: DATABASE_URL_FILE
  value: /etc/audit-export/database/url
- name: REPLICA_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: CONFIG_SOURCE
  value: {{ .Values.configs.source }}
{{- if eq .Values.configs.source "directory" }}
- name: CONFIG_DIRECTORY
  value: /etc/audit-export/configs
{{- end }}
{{- with .Values.configs.watchNamespace }}
- name: WATCH_NAMESPACE
  value: {{ . }}
{{- end }}
- name: OPERATIONS_ADDRESS
  value: {{ printf "0.0.0.0:%d" (int .Values.operations.port) | quote }}
- name: PAGE_ADDRESS
  value: {{ ternary (printf "0.0.0.0:%d" (int .Values.page.port)) "off" .Values.page.enabled | quote }}
{{- if .Values.page.enabled }}
{{- if eq .Values.configs.source "kubernetes" }}
- name: PAGE_NAMESPACE
  value: {{ include "audit-export.pageNamespace" . }}
{{- end }}
{{- if eq .Values.settings.authMode "oidc" }}
- name: SESSION_SECRET_FILE
  value: /etc/audit-export/page/session-secret
{{- if include "audit-export.hasClientSecret" . }}
- name: OIDC_CLIENT_SECRET_FILE
  value: /etc/audit-export/page/client-secret
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := omit .Values.settings "pageNamespace" }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $name | snakecase | upper }}
  value: {{ include "audit-export.settingText" $value | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* As the program reads it: lists with commas, numbers without an exponent. */}}
{{- define "audit-export.settingText" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Empty when the client of the page is a public one. */}}
{{- define "audit-export.hasClientSecret" -}}
{{- if .Values.page.existingSecret.name -}}
{{- .Values.page.existingSecret.clientSecretKey -}}
{{- else -}}
{{- ternary "yes" "" (ne .Values.page.oidcClientSecret "") -}}
{{- end -}}
{{- end -}}
