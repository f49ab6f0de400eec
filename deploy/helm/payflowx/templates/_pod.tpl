{{/* The environment of a service. Takes a dict of `root` and `service`. Pods listen on their own address, which Consul gets too. */}}
{{- define "payflowx.env" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
{{- $isGateway := eq $service.name "gateway" -}}
{{- $listen := $isGateway | ternary "HTTP" "GRPC" -}}
- name: INSTANCE_ID
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: {{ $listen }}_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- { name: {{ $listen }}_PORT, value: {{ $service.port | quote }} }
- name: METRICS_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- { name: METRICS_PORT, value: {{ $values.metrics.port | quote }} }
- { name: LOG_LEVEL, value: {{ $values.logLevel | quote }} }
{{- range $service.targets }}
- { name: {{ upper . }}_TARGET, value: {{ include "payflowx.target" (dict "root" $.root "name" .) | quote }} }
{{- end }}
{{- if $service.hasFiles }}
- { name: TLS_CERT_FILE, value: /payflowx-identity/tls.crt }
- { name: TLS_KEY_FILE, value: /payflowx-identity/tls.key }
- { name: TLS_CA_FILE, value: /payflowx-identity/ca.crt }
{{- end }}
{{- if $service.usesConsul }}
- { name: CONSUL_URL, value: {{ required "consul.url is missing: discovery.type or certificates.source is consul" $values.consul.url | quote }} }
{{- end }}
{{- if has "kafka" $service.servers }}
- { name: KAFKA_BROKERS, value: {{ required "kafka.brokers is missing: host:port, separated by commas" $values.kafka.brokers | quote }} }
- { name: KAFKA_TLS, value: {{ $values.kafka.tls | quote }} }
{{- if $values.kafka.login }}
- { name: KAFKA_USERNAME, value: {{ $service.kafkaUsername | default $service.name | quote }} }
{{- end }}
{{- end }}
{{- range $service.authorities }}
{{- if ne . "postgres" }}
- { name: {{ upper . }}_CA_FILE, value: /payflowx-authorities/{{ . }}/ca.crt }
{{- end }}
{{- end }}
{{- range $service.secrets }}
- { name: {{ . }}_FILE, value: /payflowx-secrets/{{ . }} }
{{- end }}
{{- if and $values.publicUrl (has $service.name (list "auth" "notification")) }}
- { name: PUBLIC_URL, value: {{ $values.publicUrl | quote }} }
{{- end }}
{{- if and $values.mail.enabled (eq $service.name "notification") }}
- { name: MAIL_FROM, value: {{ required "mail.from is missing" $values.mail.from | quote }} }
- { name: SMTP_STARTTLS, value: {{ $values.mail.startTls | quote }} }
{{- end }}
{{- if $values.traces.endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ $values.traces.endpoint | quote }} }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ $values.traces.ratio | quote }} }
{{- end }}
{{- if and $isGateway $values.gateway.httpsSecret }}
- { name: HTTPS_CERT_FILE, value: /payflowx-https/tls.crt }
- { name: HTTPS_KEY_FILE, value: /payflowx-https/tls.key }
{{- end }}
{{- range $key, $value := $service.env | default dict }}
- { name: {{ $key }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{/*
The gRPC ports have TLS, which the gRPC probe of Kubernetes cannot use: a program in the image asks the health service. The metrics are
served by the same event loop, so they show that it runs, at no process of their own.
*/}}
{{- define "payflowx.probes" -}}
{{- if .isGateway -}}
{{- $check := printf "httpGet: { path: /healthz, port: http, scheme: %s }" (ternary "HTTPS" "HTTP" (ne .root.Values.gateway.httpsSecret "")) -}}
startupProbe:
  {{ $check }}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
readinessProbe:
  {{ $check }}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  {{ $check }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- else -}}
startupProbe:
  exec: { command: [node, /payflowx/probe.mjs] }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  exec: { command: [node, /payflowx/probe.mjs] }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /metrics, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
{{- end -}}

{{- define "payflowx.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .service.hasFiles }}
- { name: identity, mountPath: /payflowx-identity, readOnly: true }
{{- end }}
{{- if .service.secrets }}
- { name: secrets, mountPath: /payflowx-secrets, readOnly: true }
{{- end }}
{{- range .service.authorities }}
- { name: authority-{{ . }}, mountPath: /payflowx-authorities/{{ . }}, readOnly: true }
{{- end }}
{{- if and (eq .service.name "gateway") .root.Values.gateway.httpsSecret }}
- { name: https, mountPath: /payflowx-https, readOnly: true }
{{- end }}
{{- end -}}

{{/* The services refuse secrets that every account can read, so the mode is 0440. */}}
{{- define "payflowx.volumes" -}}
- { name: tmp, emptyDir: { sizeLimit: 64Mi } }
{{- if .service.hasFiles }}
- name: identity
  secret: { secretName: {{ .service.identityName }}, defaultMode: 0440 }
{{- end }}
{{- if .service.secrets }}
- name: secrets
  secret:
    secretName: {{ .service.secretName }}
    defaultMode: 0440
    items:
      {{- range .service.secrets }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- end }}
{{- include "payflowx.authorityVolumes" . }}
{{- if and (eq .service.name "gateway") .root.Values.gateway.httpsSecret }}
- name: https
  secret: { secretName: {{ .root.Values.gateway.httpsSecret }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{- define "payflowx.authorityVolumes" -}}
{{- range .service.authorities }}
{{- $authority := (get $.root.Values .).authority }}
- name: authority-{{ . }}
  secret:
    secretName: {{ $authority.secret }}
    defaultMode: 0440
    items: [{ key: {{ $authority.key }}, path: ca.crt }]
{{- end }}
{{- end -}}
