{{/*
Facts of the services that no installation changes. `targets` are the services that it calls, as in its src/config.ts. `secrets` are
settings that it cannot start without. `servers` are the servers that it connects to.
*/}}
{{- define "payflowx.catalogue" -}}
gateway: { port: 8080, targets: [auth, payment, authorization, ledger, notification, analytics], secrets: [], servers: [] }
auth: { port: 50051, targets: [], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY, RABBITMQ_URL, AUTH_SEALING_KEY], servers: [postgres, rabbitmq] }
authorization: { port: 50052, targets: [auth], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY], servers: [postgres] }
payment: { port: 50053, targets: [auth, authorization], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY, RABBITMQ_URL], servers: [postgres, kafka, rabbitmq] }
ledger: { port: 50054, targets: [auth, authorization, payment, analytics, notification], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY], servers: [postgres, kafka] }
notification: { port: 50055, targets: [auth, authorization], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY, RABBITMQ_URL, WEBHOOK_SEALING_KEY], servers: [postgres, rabbitmq] }
analytics: { port: 50056, targets: [auth, authorization], secrets: [POSTGRES_URL, PAGE_TOKEN_KEY], servers: [postgres, kafka] }
{{- end -}}

{{/* Everything about one service. Takes a dict of `root` and `name`; prints YAML for fromYaml. */}}
{{- define "payflowx.service" -}}
{{- $facts := get (include "payflowx.catalogue" . | fromYaml) .name -}}
{{- $chosen := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (get .root.Values.services .name | default dict)) -}}
{{- $full := printf "%s-%s" .root.Release.Name .name -}}
{{- $usesConsul := or (eq .root.Values.discovery.type "consul") (eq .root.Values.certificates.source "consul") -}}
{{- $secrets := $facts.secrets -}}
{{- if and (has "kafka" $facts.servers) .root.Values.kafka.login }}{{ $secrets = append $secrets "KAFKA_PASSWORD" }}{{ end -}}
{{- if and (eq .name "notification") .root.Values.mail.enabled }}{{ $secrets = append $secrets "SMTP_URL" }}{{ end -}}
{{- if and $usesConsul .root.Values.consul.hasToken }}{{ $secrets = append $secrets "CONSUL_TOKEN" }}{{ end -}}
{{- $servers := $facts.servers -}}
{{- if $usesConsul }}{{ $servers = append $servers "consul" }}{{ end -}}
{{- $authorities := list -}}
{{- range $servers }}{{ if (get $.root.Values .).authority.secret }}{{ $authorities = append $authorities . }}{{ end }}{{ end -}}
{{- $own := dict "name" .name "fullName" $full "usesConsul" $usesConsul "secrets" $secrets "servers" $servers "authorities" $authorities -}}
{{- $_ := set $own "secretName" ($chosen.existingSecret | default $full) -}}
{{- $_ := set $own "migrateSecretName" ($chosen.migrateSecret | default (printf "%s-migrate" $full)) -}}
{{- $_ := set $own "identityName" ($chosen.identitySecret | default (printf "%s-identity" $full)) -}}
{{- $_ := set $own "hasDatabase" (has "postgres" $facts.servers) -}}
{{- $_ := set $own "hasFiles" (ne .root.Values.certificates.source "consul") -}}
{{- mergeOverwrite $facts $chosen $own | toYaml -}}
{{- end -}}

{{/* Labels that select the pods of a service. Takes a dict of `root` and `name`. */}}
{{- define "payflowx.selector" -}}
app.kubernetes.io/name: payflowx
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "payflowx.labels" -}}
{{ include "payflowx.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "payflowx.image" -}}
{{ .root.Values.image.repository }}{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{/* The gRPC target of a service. */}}
{{- define "payflowx.target" -}}
{{- $facts := get (include "payflowx.catalogue" . | fromYaml) .name -}}
{{- if eq .root.Values.discovery.type "consul" -}}
consul:///{{ .name }}
{{- else -}}
dns:///{{ .root.Release.Name }}-{{ .name }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.discovery.clusterDomain }}:{{ $facts.port }}
{{- end -}}
{{- end -}}

{{/* Pod and container security of the profile `restricted`. */}}
{{- define "payflowx.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAs.user }}
runAsGroup: {{ .Values.runAs.group }}
fsGroup: {{ .Values.runAs.group }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "payflowx.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Ports of a NetworkPolicy. */}}
{{- define "payflowx.tcp" -}}
{{- range . }}
- { port: {{ . }}, protocol: TCP }
{{- end }}
{{- end -}}
