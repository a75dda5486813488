{{/* The environment of the collector: what the chart decides, then `settings` by name. `extraEnv` follows it. */}}
{{- define "audit-export.environment" -}}
- name: DATABASE_URL_FILE
  value: /etc/audit-export/database/url
- name: REPLICA_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: CONFIG_SOURCE
  value: {{ .Values.configs.source | quote }}
{{- if eq .Values.configs.source "directory" }}
- name: CONFIG_DIRECTORY
  value: /etc/audit-export/configs
{{- end }}
{{- with .Values.configs.watchNamespace }}
- name: WATCH_NAMESPACE
  value: {{ . | quote }}
{{- end }}
{{- if eq .Values.configs.source "kubernetes" }}
- name: OWN_SECRETS
  value: {{ include "audit-export.ownSecrets" . | quote }}
{{- end }}
{{- if include "audit-export.metricsTokenSecret" . }}
- name: METRICS_TOKEN_FILE
  value: /etc/audit-export/metrics-token/token
{{- end }}
{{- if include "audit-export.ledgerKeySecret" . }}
- name: LEDGER_KEY_FILE
  value: /etc/audit-export/ledger/key
{{- end }}
- name: OPERATIONS_ADDRESS
  value: {{ printf "[::]:%d" (int .Values.operations.port) | quote }}
- name: PAGE_ADDRESS
  value: {{ ternary (printf "[::]:%d" (int .Values.page.port)) "off" .Values.page.enabled | quote }}
{{- if .Values.page.enabled }}
{{- if eq .Values.configs.source "kubernetes" }}
- name: PAGE_NAMESPACE
  value: {{ include "audit-export.pageNamespace" . | quote }}
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
{{- end -}}

{{/* Every Secret that the pods of the chart use, as NAMESPACE/NAME: no AuditExportConfig may use one. */}}
{{- define "audit-export.ownSecrets" -}}
{{- $name := include "audit-export.fullname" . -}}
{{- $secrets := list $name (printf "%s-migrate" $name) -}}
{{- $secrets = concat $secrets (list .Values.database.existingSecret.name .Values.migration.existingSecret.name .Values.page.existingSecret.name (include "audit-export.metricsTokenSecret" .) (include "audit-export.ledgerKeySecret" .)) -}}
{{- range .Values.imagePullSecrets -}}
{{- $secrets = append $secrets .name -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $secrets = append $secrets (dig "valueFrom" "secretKeyRef" "name" "" .) -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- $secrets = append $secrets (dig "secret" "secretName" "" .) -}}
{{- range dig "projected" "sources" list . -}}
{{- $secrets = append $secrets (dig "secret" "name" "" .) -}}
{{- end -}}
{{- end -}}
{{- $full := list -}}
{{- range $secrets | compact | uniq -}}
{{- $full = append $full (printf "%s/%s" $.Release.Namespace .) -}}
{{- end -}}
{{- join "," $full -}}
{{- end -}}

{{/* A value as the program reads it: lists with commas, numbers without an exponent. */}}
{{- define "audit-export.settingText" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "map" . -}}
{{- toJson . -}}
{{- else if kindIs "float64" . -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Empty if the client of the page is public. */}}
{{- define "audit-export.hasClientSecret" -}}
{{- if .Values.page.existingSecret.name -}}
{{- .Values.page.existingSecret.clientSecretKey -}}
{{- else -}}
{{- ternary "yes" "" (ne .Values.page.oidcClientSecret "") -}}
{{- end -}}
{{- end -}}
