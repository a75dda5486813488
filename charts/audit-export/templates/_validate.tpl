{{/*
Rules between values, which no schema can express. All problems at once, each as a sentence that says what to do.
*/}}
{{- define "audit-export.validate" -}}
{{- $problems := list -}}
{{- $settings := .Values.settings -}}
{{- $page := .Values.page -}}

{{- if and .Values.database.url .Values.database.existingSecret.name -}}
{{- $problems = append $problems "database.url and database.existingSecret.name are both set: remove one of them." -}}
{{- else if not (or .Values.database.url .Values.database.existingSecret.name) -}}
{{- $problems = append $problems "There is no database: set database.existingSecret.name to a Secret that holds its URL, or set database.url." -}}
{{- end -}}
{{- if and (eq .Values.migration.mode "none") .Values.migration.existingSecret.name -}}
{{- $problems = append $problems "migration.existingSecret.name is set, but migration.mode is none: remove it, or choose hook or initContainer." -}}
{{- end -}}

{{- if eq .Values.configs.source "directory" -}}
{{- if not .Values.configs.volume -}}
{{- $problems = append $problems "configs.source is directory, but configs.volume is empty: set it to the source of a volume with manifests." -}}
{{- end -}}
{{- if .Values.configs.watchNamespace -}}
{{- $problems = append $problems "configs.watchNamespace is set, but configs.source is directory: remove it." -}}
{{- end -}}
{{- if ne .Values.rbac.page "none" -}}
{{- $problems = append $problems (printf "rbac.page is %s, but configs.source is directory: the page saves nothing to the cluster, so set it to none." .Values.rbac.page) -}}
{{- end -}}
{{- else if .Values.configs.volume -}}
{{- $problems = append $problems "configs.volume is set, but configs.source is kubernetes: remove it, or set configs.source to directory." -}}
{{- end -}}

{{- if $page.enabled -}}
{{- if not $settings.authMode -}}
{{- $problems = append $problems "page.enabled is true, but settings.authMode is not set: choose oidc, jwt or headers to decide who may read audit logs." -}}
{{- else if eq $settings.authMode "local" -}}
{{- $problems = append $problems "settings.authMode is local, which works only on a loopback address: choose oidc, jwt or headers." -}}
{{- else -}}
{{- range $name, $what := get (include "audit-export.needs" . | fromYaml) $settings.authMode -}}
{{- if not (get $settings $name) -}}
{{- $problems = append $problems (printf "settings.authMode is %s, but settings.%s is not set: set it to %s." $settings.authMode $name $what) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq (default "" $settings.authMode) "oidc" -}}
{{- if not (or $page.sessionSecret $page.existingSecret.name) -}}
{{- $problems = append $problems "settings.authMode is oidc, but there is no session secret: set page.existingSecret.name, or page.sessionSecret." -}}
{{- end -}}
{{- else if eq (default "" $settings.authMode) "headers" -}}
{{- $hasProxySecret := false -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "PROXY_SECRET" "PROXY_SECRET_FILE") -}}
{{- $hasProxySecret = true -}}
{{- end -}}
{{- end -}}
{{- if not $hasProxySecret -}}
{{- $problems = append $problems "settings.authMode is headers, but extraEnv sets no PROXY_SECRET: set it there with valueFrom a Secret, and let the proxy send it as X-Proxy-Secret." -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- if $page.ingress.enabled -}}
{{- $problems = append $problems "page.ingress.enabled is true, but page.enabled is not: set it too." -}}
{{- end -}}
{{- if $page.httpRoute.enabled -}}
{{- $problems = append $problems "page.httpRoute.enabled is true, but page.enabled is not: set it too." -}}
{{- end -}}
{{- if ne .Values.rbac.page "none" -}}
{{- $problems = append $problems (printf "rbac.page is %s, but page.enabled is false: set it to none, or enable the page." .Values.rbac.page) -}}
{{- end -}}
{{- end -}}
{{- if and $page.existingSecret.name (or $page.sessionSecret $page.oidcClientSecret) -}}
{{- $problems = append $problems "page.existingSecret.name is set, and so is page.sessionSecret or page.oidcClientSecret: remove the one or the other." -}}
{{- end -}}
{{- if and (or $page.existingSecret.name $page.sessionSecret $page.oidcClientSecret) (not (and $page.enabled (eq (default "" $settings.authMode) "oidc"))) -}}
{{- $problems = append $problems "A session or client secret of the page is set, but it is used only with page.enabled and settings.authMode oidc: remove it." -}}
{{- end -}}
{{- if and $page.oidcClientSecret (not $page.existingSecret.clientSecretKey) -}}
{{- $problems = append $problems "page.oidcClientSecret is set, but page.existingSecret.clientSecretKey is empty, which means a public client: remove one of them." -}}
{{- end -}}
{{- if and $page.ingress.enabled (not $page.ingress.hosts) -}}
{{- $problems = append $problems "page.ingress.enabled is true, but page.ingress.hosts is empty: name a host." -}}
{{- end -}}
{{- if and $page.httpRoute.enabled (not $page.httpRoute.parentRefs) -}}
{{- $problems = append $problems "page.httpRoute.enabled is true, but page.httpRoute.parentRefs is empty: name a Gateway." -}}
{{- end -}}
{{- if and .Values.configs.watchNamespace $settings.pageNamespace (ne .Values.configs.watchNamespace (default "" $settings.pageNamespace)) -}}
{{- $problems = append $problems (printf "settings.pageNamespace is %s, but only AuditExportConfigs of configs.watchNamespace, %s, are used: remove it, or watch all namespaces." $settings.pageNamespace .Values.configs.watchNamespace) -}}
{{- end -}}

{{- if not (and (hasKey .Values "podSecurityContext") .Values.admissionPolicy .Values.operations.metricsToken .Values.networkPolicy.egress.dns) -}}
{{- $problems = append $problems "Groups of values that an older chart does not have are missing: upgrade with --reset-then-reuse-values instead of --reuse-values." -}}
{{- end -}}

{{- $taken := list "COLLECTOR_ROLE" -}}
{{- range include "audit-export.environment" . | fromYamlArray -}}
{{- $taken = append $taken .name -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has .name $taken -}}
{{- $problems = append $problems (printf "extraEnv sets %s, which is already set: use the chart's own value for it, or list it only once." .name) -}}
{{- end -}}
{{- $taken = append $taken .name -}}
{{- end -}}
{{- if and .Values.migration.collectorRole (eq .Values.migration.mode "none") -}}
{{- $problems = append $problems "migration.collectorRole is set, but migration.mode is none: remove it, or choose hook or initContainer." -}}
{{- end -}}

{{- $needed := include "audit-export.leastGraceSeconds" . | int -}}
{{- if and .Values.terminationGracePeriodSeconds (lt (int .Values.terminationGracePeriodSeconds) $needed) -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds is %d, but settings.shutdownGraceMs is %d: a stop needs at least %d seconds, or lower settings.shutdownGraceMs." (int .Values.terminationGracePeriodSeconds) (int .Values.settings.shutdownGraceMs) $needed) -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\n%s\n" (join "\n" $problems)) -}}
{{- end -}}
{{- end -}}

{{/* The process exits at most 4 s after shutdownGraceMs; add one second, and round up. */}}
{{- define "audit-export.leastGraceSeconds" -}}
{{- add (div (add (int .Values.settings.shutdownGraceMs) 999) 1000) 5 -}}
{{- end -}}
