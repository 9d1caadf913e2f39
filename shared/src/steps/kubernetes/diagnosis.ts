import { raw, type Shell } from '../../command/sh.ts'

/** What a container ended with: the running instance's own end, else that of the one before. `unless` leaves some out. */
const ends = (statuses: string, unless: string) =>
  [
    `{{range .status.${statuses}}}{{$name := .name}}{{$end := .lastState.terminated}}`,
    `{{with .state.terminated}}{{$end = .}}{{end}}{{with $end}}${unless}`,
    '{{$pod}} {{$name}} ended with exit code {{.exitCode}}{{with .reason}} ({{.}}){{end}}{{with .message}}: {{.}}{{end}}{{"\\n"}}',
    `{{end}}${unless && '{{end}}'}{{end}}`,
  ].join('')
const template = `{{range .items}}{{$pod := .metadata.name}}${ends('initContainerStatuses', '{{if .exitCode}}')}${ends('containerStatuses', '')}{{end}}`

/**
 * Shell functions that tell on stderr why pods do not get ready. `diagnose SELECTOR [CONTROLLER…]` takes the pods by their
 * labels and the uids of what makes them, and the namespace from `$ns`: pods of other revisions stay out. Lines of others
 * are indented, so that no error in a pod's log is taken for one of kubectl's.
 */
export const diagnosis: Shell = raw(`tell() { sed 's/^/  /' >&2; }
# Events of the objects of stdin, \`UID KIND CREATED\` a line: Warnings, the latest first, one of a kind; others where there is none.
# What stopped a controller from making pods is over once there is a younger pod.
events() {
  { cat; echo; kubectl get events -n "$ns" --no-headers -o 'custom-columns=U:.involvedObject.uid,T:.type,S:.series.lastObservedTime,L:.lastTimestamp,E:.eventTime,C:.metadata.creationTimestamp,R:.reason,N:.involvedObject.name,M:.message' 2>&1; } |
    awk 'NF == 0 { past = 1; next }
      !past { kind[$1] = $2; if ($2 == "pod" && $3 > newest) newest = $3; next }
      /^(Error|error:|Unable to|The connection)/ { print "1 9 " $0; next }
      $1 in kind {
        time = $3; for (i = 4; time ~ /^</ && i < 7; i++) time = $i
        if (kind[$1] == "controller" && time < newest) next
        rank = $2 == "Warning"; reason = $7; name = $8; $1 = $2 = $3 = $4 = $5 = $6 = $7 = $8 = ""
        sub(/^ +/, ""); sub(/^\\(combined from similar events\\): /, "")
        print rank, time, reason, name, $0
      }' | sort -r | awk -v most="$1" '
      $1 == 0 && warned { exit }
      { warned += $1; name = $4; sub(/^[^ ]+ [^ ]+ /, ""); line = $0
        $2 = ""; same = $0; while (at = index(same, name)) same = substr(same, 1, at - 1) substr(same, at + length(name))
        # Names of pods and uids, which differ from one attempt to the next.
        gsub(/-[a-z0-9]+"|\\([0-9a-f-]+\\)/, "", same)
        if (!seen[same]++ && shown++ < most) print line }' | cut -c 1-300 | tell
}
# A pod that waits for its volume tells nothing: the claim does.
claims() {
  for claim in $(kubectl get pods -n "$ns" -l "$pods" -o 'jsonpath={.items[*].spec.volumes[*].persistentVolumeClaim.claimName}' |
    tr ' ' '\\n' | sort -u); do
    state=$(kubectl get persistentvolumeclaim "$claim" -n "$ns" --no-headers 2>&1 | grep -v ' Bound ') || continue
    echo "$state" | tell
    kubectl get persistentvolumeclaim "$claim" -n "$ns" --no-headers -o custom-columns=U:.metadata.uid 2>/dev/null | events 2
  done
}
# A node that is away takes its pods along, and they say nothing of it.
nodes() {
  kubectl get nodes --no-headers 2>/dev/null | awk '$2 !~ /^Ready/ { print "node " $1 " is " $2 }' | head -n 3 | tell
}
diagnose() {
  pods=$1; shift
  nodes
  kubectl get pods -n "$ns" -l "$pods" --no-headers 2>&1 | tail -n 2 | tell
  claims
  { for uid in "$@"; do echo "$uid controller"; done
    kubectl get pods -n "$ns" -l "$pods" --no-headers -o custom-columns=U:.metadata.uid,K:.nothing,C:.metadata.creationTimestamp 2>/dev/null |
      sed 's/<none>/pod/'; } | events 3
  kubectl get pods -n "$ns" -l "$pods" -o 'go-template=${template}' 2>&1 | grep . | cut -c 1-300 | head -n 3 | tell
  for pod in $(kubectl get pods -n "$ns" -l "$pods" --no-headers \\
    -o 'custom-columns=N:.metadata.name,R:.status.conditions[?(@.type=="Ready")].status' | awk '$2 != "True" { print $1 }'); do
    kubectl logs -n "$ns" "$pod" --all-containers --tail=4 2>&1 | grep -v 'is waiting to start: ' | cut -c 1-300 | tail -n 4 | tell
  done
}
`)
