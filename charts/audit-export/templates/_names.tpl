{{/* Names and labels. */}}

{{- define "audit-export.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 characters, so that every suffix of this chart fits into 63. The name of a Service begins with a letter. */}}
{{- define "audit-export.fullname" -}}
{{- $name := include "audit-export.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- regexReplaceAll "^([0-9])" (default $full .Values.fullnameOverride) "audit-${1}" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "audit-export.selectorLabels" -}}
app.kubernetes.io/name: {{ include "audit-export.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of the pods that deliver and serve the page. */}}
{{- define "audit-export.collectorLabels" -}}
{{ include "audit-export.selectorLabels" . }}
app.kubernetes.io/component: collector
{{- end -}}

{{- define "audit-export.labels" -}}
{{ include "audit-export.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "audit-export.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "audit-export.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Name of the Secret with the token of /metrics; empty without one. */}}
{{- define "audit-export.metricsTokenSecret" -}}
{{- (((.Values.operations).metricsToken).existingSecret).name -}}
{{- end -}}

{{/* Name of the Secret with the key of the ledgers; empty without one, and in the values of an older chart. */}}
{{- define "audit-export.ledgerKeySecret" -}}
{{- ((.Values.ledger).existingSecret).name -}}
{{- end -}}

{{- define "audit-export.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Name of objects in no namespace, or in one where others may install: two releases with the same name must not collide there. */}}
{{- define "audit-export.sharedName" -}}
{{ include "audit-export.fullname" . }}.{{ .Release.Namespace }}
{{- end -}}

{{/* The namespace in which the page creates AuditExportConfigs. */}}
{{- define "audit-export.pageNamespace" -}}
{{- default (default .Release.Namespace .Values.configs.watchNamespace) .Values.settings.pageNamespace -}}
{{- end -}}
