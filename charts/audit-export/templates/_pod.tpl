{{/* What the pods of the chart have in common. The security contexts meet the "restricted" level of pod security. */}}

{{- define "audit-export.podSecurityContext" -}}
runAsNonRoot: true
{{- range $field, $id := .Values.podSecurityContext }}
{{- if not (kindIs "invalid" $id) }}
{{ $field }}: {{ int64 $id }}
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "audit-export.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Image, security and resources of a container. */}}
{{- define "audit-export.container" -}}
image: {{ include "audit-export.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "audit-export.securityContext" . | nindent 2 }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the pods run, and how they pull the image. */}}
{{- define "audit-export.placement" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "audit-export.databaseSecretName" -}}
{{- default (include "audit-export.fullname" .) .Values.database.existingSecret.name -}}
{{- end -}}

{{- define "audit-export.databaseSecretKey" -}}
{{- ternary .Values.database.existingSecret.key "database-url" (ne .Values.database.existingSecret.name "") -}}
{{- end -}}

{{/* A volume with one key of a Secret as the file `url`, which the group of the pod may read. */}}
{{- define "audit-export.urlVolume" -}}
- name: {{ .volume }}
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 288 # 0440
    items:
      - key: {{ .key | quote }}
        path: url
{{- end -}}

{{- define "audit-export.databaseVolume" -}}
{{- include "audit-export.urlVolume" (dict "volume" "database" "secret" (include "audit-export.databaseSecretName" .) "key" (include "audit-export.databaseSecretKey" .)) -}}
{{- end -}}

{{/* The volume of the migration's own URL; none if it uses the collector's. */}}
{{- define "audit-export.migrationVolume" -}}
{{- with .Values.migration.existingSecret.name -}}
{{- include "audit-export.urlVolume" (dict "volume" "migration" "secret" . "key" $.Values.migration.existingSecret.key) -}}
{{- end -}}
{{- end -}}

{{/* The volume of the token that /metrics requires; none without one. */}}
{{- define "audit-export.metricsTokenVolume" -}}
{{- with include "audit-export.metricsTokenSecret" . -}}
- name: metrics-token
  secret:
    secretName: {{ . | quote }}
    defaultMode: 288 # 0440
    items:
      - key: {{ $.Values.operations.metricsToken.existingSecret.key | quote }}
        path: token
{{- end -}}
{{- end -}}

{{/* The volume of the key that signs the ledgers; none without one. */}}
{{- define "audit-export.ledgerKeyVolume" -}}
{{- with include "audit-export.ledgerKeySecret" . -}}
- name: ledger
  secret:
    secretName: {{ . | quote }}
    defaultMode: 288 # 0440
    items:
      - key: {{ $.Values.ledger.existingSecret.key | quote }}
        path: key
{{- end -}}
{{- end -}}

{{/* The container that migrates. */}}
{{- define "audit-export.migrationContainer" -}}
- name: migrate
  {{- include "audit-export.container" . | nindent 2 }}
  args: [--disable-sigusr1, cmd/migrate.ts]
  env:
    - name: DATABASE_URL_FILE
      value: /etc/audit-export/migration/url
    {{- with .Values.migration.collectorRole }}
    - name: COLLECTOR_ROLE
      value: {{ . | quote }}
    {{- end }}
    {{- with .Values.settings.retentionDays }}
    - name: RETENTION_DAYS
      value: {{ include "audit-export.settingText" . | quote }}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumeMounts:
    - name: {{ ternary "migration" "database" (ne .Values.migration.existingSecret.name "") }}
      mountPath: /etc/audit-export/migration
      readOnly: true
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
