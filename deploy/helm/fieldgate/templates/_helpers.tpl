{{/* fieldgate.name is what the names of all objects begin with. */}}
{{- define "fieldgate.name" -}}
{{- if contains "fieldgate" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-fieldgate" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* fieldgate.labels are those of an object. */}}
{{- define "fieldgate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "fieldgate.selector" . }}
{{- end -}}

{{/* fieldgate.selector are the labels by which pods are found. */}}
{{- define "fieldgate.selector" -}}
app.kubernetes.io/name: fieldgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* fieldgate.config is the configuration file, with what the mode decides over what the values say. */}}
{{- define "fieldgate.config" -}}
{{- $own := dict "data_dir" "/var/lib/fieldgate" "pg_addr" "0.0.0.0:5433" "http_addr" "0.0.0.0:8080" -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $own "tls" (dict "cert" "/etc/fieldgate-tls/tls.crt" "key" "/etc/fieldgate-tls/tls.key" "mode" "require") -}}
{{- else if .Values.insecure -}}
{{- $_ := set $own "insecure" true -}}
{{- else -}}
{{- fail "set tls.secretName to a TLS secret, or insecure to true" -}}
{{- end -}}
{{- if eq .Values.mode "aws" -}}
{{- $bucket := required "aws.bucket is the S3 bucket of archives and lake" .Values.aws.bucket -}}
{{- $where := dict "prefix" .Values.aws.prefix "region" .Values.aws.region -}}
{{- $_ := set $own "stream" (merge (dict "kind" "kinesis") $where) -}}
{{- $_ := set $own "nearline" (merge (dict "kind" "dynamodb") $where) -}}
{{- $_ := set $own "keyvalue" (merge (dict "kind" "dynamodb") $where) -}}
{{- $_ := set $own "objects" (dict "kind" "s3" "bucket" $bucket "region" .Values.aws.region) -}}
{{- end -}}
{{- toYaml (merge $own (deepCopy .Values.config)) -}}
{{- end -}}

{{/* fieldgate.pod is a pod's spec; takes root, account, resources and roles (none: all). */}}
{{- define "fieldgate.pod" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (ne .root.Values.tls.secretName "") -}}
{{- with .account }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: fieldgate
    image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: ["serve", "--config", "/etc/fieldgate/fieldgate.yaml"{{ with .roles }}, "--roles", {{ join "," . | quote }}{{ end }}]
    {{- with .root.Values.extraEnv }}
    env: {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - {name: postgres, containerPort: 5433}
      - {name: http, containerPort: 8080}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    resources: {{- toYaml .resources | nindent 6 }}
    # A data directory with much to recover takes its time to start, and is never killed for that.
    startupProbe:
      httpGet: {path: /healthz, port: http, scheme: {{ $scheme }}}
      periodSeconds: 2
      failureThreshold: 300
    readinessProbe:
      httpGet: {path: /healthz, port: http, scheme: {{ $scheme }}}
      periodSeconds: 5
    livenessProbe:
      tcpSocket: {port: http}
      periodSeconds: 10
      failureThreshold: 6
    volumeMounts:
      - {name: data, mountPath: /var/lib/fieldgate}
      - {name: config, mountPath: /etc/fieldgate, readOnly: true}
      {{- if .root.Values.tls.secretName }}
      - {name: tls, mountPath: /etc/fieldgate-tls, readOnly: true}
      {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* fieldgate.volumes are those of every pod but data. */}}
{{- define "fieldgate.volumes" -}}
- name: config
  configMap:
    name: {{ include "fieldgate.name" . }}
{{- with .Values.tls.secretName }}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}
