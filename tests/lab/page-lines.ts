/** How a line of the pages for another program than the product's is run, and what it must say. */
export interface PageLine {
  /** Of what it prints on both streams. */
  readonly says?: RegExp
  /** The exit codes that it may end with, 0 when left out. */
  readonly ends?: readonly number[]
  /** Words in the place of those of the page. */
  readonly words?: Readonly<Record<string, string>>
  /** What is typed behind it: the server judges it, and does nothing. */
  readonly adds?: string
  /** What must be there before, as a shell's line. */
  readonly before?: string
  /** The user of the host who types it, root when left out. */
  readonly as?: string
  /** It goes on until it is ended. */
  readonly follows?: true
}
export type PageLines = Readonly<Record<string, PageLine>>

const dropped = 'valence_before_restore_TIME'

/** The domain of the lab's pods. */
const domain = 'pod.lab.example.org'
/** Asks the host itself, with a certificate of the lab's own authority. */
const asked: PageLine = {
  words: { 'your.domain.com': domain },
  before: `printf 'silent\\nshow-error\\ninsecure\\nconnect-to = "::127.0.0.1:"\\n' >/root/.curlrc`,
}

/** Typed on the pod's host: tests/lab/pod-commands.test.ts. Those of the runbook's blocks are in runbook-lines.ts. */
export const onHost: PageLines = {
  // vkb.service is not started: Claude Code starts the servers itself.
  'sudo systemctl status postgresql matrix-synapse vkb nginx': { ends: [3], says: /● nginx\.service/ },
  'systemctl status nginx': { says: /active \(running\)/ },
  'sudo systemctl status ssh': { says: /active \(running\)/ },
  'systemctl --failed': { says: /loaded units listed/ },
  'sudo journalctl -u vkb -f': { follows: true, ends: [124] },
  'sudo journalctl -u matrix-synapse -f': { follows: true, ends: [124], says: /synapse/ },
  'sudo journalctl --since "10 minutes ago" | grep -i error': { ends: [0, 1] },
  'journalctl -u certbot': {},
  'journalctl -u matrix-synapse': { says: /synapse/ },
  'journalctl -u ssh': { says: /sshd/ },
  "journalctl -u 'infra-revert-*'": {},
  'sudo journalctl -u UNIT': { words: { UNIT: 'nginx' }, says: /nginx/ },
  'sudo systemctl reset-failed': {},
  'sudo systemctl restart matrix-synapse': {},
  timedatectl: { says: /Universal time/ },
  // The clock of the lab's containers is that of their machine.
  'sudo systemctl enable --now systemd-timesyncd': { ends: [0, 1], says: /systemd-timesyncd/ },
  'sudo ufw status': { says: /Status: active/ },
  'sudo fail2ban-client set sshd unbanip ADDRESS': { words: { ADDRESS: '192.0.2.7' }, says: /^[01]$/m },
  'sudo sshd -T | grep -i passwordauthentication': { says: /^passwordauthentication no$/m },
  'sudo nginx -t': { says: /test is successful/ },
  'sudo certbot renew': { says: /not due for renewal|renewed|renewal/ },
  // Off a terminal it waits for minutes, so that not all of the world renews at once.
  'sudo certbot renew --dry-run': { adds: ' --no-random-sleep-on-renew', ends: [0, 1], says: /simulat/i },
  'getent ahosts DOMAIN': { words: { DOMAIN: 'localhost' }, says: /STREAM/ },
  'getent ahosts your.domain.com': { words: { 'your.domain.com': 'localhost' }, says: /STREAM/ },
  'curl https://your.domain.com/.well-known/matrix/server': { ...asked, says: /"m\.server"/ },
  'curl https://your.domain.com/.well-known/matrix/client': { ...asked, says: /"m\.homeserver"/ },
  'curl https://your.domain.com/_matrix/client/versions': { ...asked, says: /"versions"/ },
  'curl https://your.domain.com:8448/_matrix/federation/v1/version': { ...asked, says: /"Synapse"/ },
  'openssl s_client -connect your.domain.com:443 -servername your.domain.com < /dev/null 2>/dev/null | openssl x509 -noout -dates':
    {
      words: { 'connect your.domain.com': 'connect localhost', 'name your.domain.com': `name ${domain}` },
      says: /^notAfter=/m,
    },
  // No test may reach it: curl takes the line, and finds nobody.
  'curl -I https://pypi.org/simple/': { ends: [6, 7, 28, 35], says: /curl: \(/ },
  'cat /opt/valence/config/vkb.env': { says: /VKB_DB_NAME/ },
  'source /opt/valence/config/vkb.env && /opt/valence/venv/bin/python -m valence.substrate.mcp_server --health-check': {
    as: 'valence',
  },
  // The password is VALENCE_DB_PASSWORD, and asked for on a terminal only.
  'sudo -u valence psql -h localhost -d valence': { ends: [2], says: /no password supplied/ },
  "sudo -u postgres psql -d synapse -c 'DELETE FROM access_tokens'": { says: /^DELETE \d+$/m },
  [`sudo -u postgres psql -d postgres -c 'DROP DATABASE ${dropped}'`]: {
    before: `cd /; sudo -u postgres psql -qc 'CREATE DATABASE ${dropped}'`,
    says: /^DROP DATABASE$/m,
  },
  'sudo rm -r PATH': { words: { PATH: '/root/put-aside' }, before: 'mkdir -p /root/put-aside/x' },
  'sudo rm -r /var/lib/infra/synapse-move': { before: 'mkdir -p /var/lib/infra/synapse-move' },
  'python3 -m json.tool ~valence/.claude.json': { says: /mcpServers/ },
  'sudo du -xhd2 / | sort -h | tail': { says: /\s\/$/m },
  'ps aux --sort=-rss | head': { says: /^USER +PID/m },
  'dpkg --configure -a': {},
  'apt-get install python3-yaml': { adds: ' --simulate', says: /python3-yaml/ },
  'time ssh root@HOST true': { words: { 'root@HOST': '-V' }, says: /OpenSSH[\s\S]*real/ },
}

const dry = { adds: ' --dry-run=server' } as const

/** Typed where kubectl is, for the cluster and Stoat as deployed: tests/lab/cluster-deploy.test.ts. */
export const onCluster: PageLines = {
  'KUBECONFIG=.infra/kubeconfig-discord-bot-cluster kubectl get pods -n discord-bot': { says: /^redis-0 +1\/1/m },
  'kubectl get storageclasses': { says: /^NAME|No resources/ },
  'kubectl get persistentvolumes -l infra/claim': {},
  'kubectl describe pod -n discord-bot -l app=discord-bot': { says: /^Name: +discord-bot-/m },
  'kubectl logs -f deployment/discord-bot -n discord-bot': { follows: true, ends: [124] },
  // Of a pod that never restarted there is nothing before.
  'kubectl logs -n discord-bot -l app=discord-bot --previous': {
    ends: [0, 1],
    says: /^$|previous terminated container/,
  },
  // With SANDBOX_MCP there is such a container.
  'kubectl logs -n discord-bot deployment/dev-sandbox -c mcp-git': { ends: [0, 1], says: /^$|container mcp-git/ },
  'kubectl logs -n discord-bot deployment/stoat-caddy': { says: /caddy|serving/i },
  'kubectl get jobs -n discord-bot; kubectl logs -n discord-bot -l app=ecr-refresh': {
    says: /stoat-minio|ecr-refresh/,
  },
  'kubectl rollout history deployment/discord-bot -n discord-bot': { says: /^REVISION/m },
  'kubectl rollout restart deployment/discord-bot -n discord-bot': { says: /restarted/ },
  'kubectl rollout restart deployment/dev-sandbox -n discord-bot': { says: /restarted/ },
  // The stand-in of the bot has no env; the cluster finds its pod and says so.
  'kubectl exec -n discord-bot deployment/discord-bot -- env | grep AWS': { ends: [0, 1], says: /AWS|"env"/ },
  'kubectl delete secret ecr-registry -n discord-bot': { ...dry, says: /"ecr-registry" deleted/ },
  'kubectl delete secret discord-bot-secrets -n discord-bot': { ...dry, says: /"discord-bot-secrets" deleted/ },
  'kubectl delete job stoat-minio-create-buckets -n discord-bot': { ...dry, says: /create-buckets" deleted/ },
  'kubectl delete statefulset redis -n discord-bot --cascade=orphan': { ...dry, says: /"redis" deleted/ },
  'kubectl scale deployment/stoat-api deployment/stoat-events deployment/stoat-autumn deployment/stoat-crond --replicas=0 -n discord-bot':
    { ...dry, says: /(.*scaled.*\n){4}/ },
  'kubectl exec -n discord-bot stoat-mongodb-0 -- mongosh --quiet --eval \'db.adminCommand({ setFeatureCompatibilityVersion: "7.0", confirm: true })\'':
    { ends: [0, 1] },
  // There only once a round has stored a file, or Stoat was adopted.
  'kubectl delete configmap stoat-canary -n discord-bot': { ...dry, ends: [0, 1], says: /"stoat-canary"/ },
  'kubectl delete secret stoat-original -n discord-bot': { ...dry, ends: [1], says: /"stoat-original" not found/ },
  'kubectl get secret stoat-original -n discord-bot -o yaml': { ends: [1], says: /"stoat-original" not found/ },
}

/** An output of the cluster, and what the AWS of the lab answers with. */
const there = '$AWS_ENDPOINT_URL/123456789012/agentic-events'
const queue = '$(npm run -s output -w cluster -- agentic_events_queue_url)'
const url = '$(aws sqs get-queue-url --queue-name agentic-events --query QueueUrl --output text)'

/** Typed where the aws CLI is, for the AWS half of the cluster: tests/lab/cluster-commands.test.ts. */
export const onAws: PageLines = {
  'aws sts get-caller-identity': { says: /"Account": "123456789012"/ },
  'aws dynamodb list-tables': { says: /discord_sessions/ },
  'aws dynamodb describe-table --table-name discord_sessions': { says: /"TableStatus": "ACTIVE"/ },
  'aws dynamodb query --table-name discord-messages --key-condition-expression "pk = :threadId" --expression-attribute-values \'{":threadId":{"S":"1234567890"}}\'':
    { says: /"Count": 0/ },
  [`aws sqs get-queue-attributes --queue-url ${queue} --attribute-names All`]: {
    words: { [queue]: there },
    says: /"ApproximateNumberOfMessages": "0"/,
  },
  [`aws sqs receive-message --queue-url ${queue}`]: { words: { [queue]: there } },
  [`aws sqs get-queue-attributes --attribute-names All --queue-url "${url}"`]: { says: /"QueueArn"/ },
  "aws ecr describe-images --repository-name discord-bot --query 'sort_by(imageDetails,& imagePushedAt)[-5:]'": {
    says: /\[\]/,
  },
  'aws ecr get-login-password --region ca-central-1 | docker login --username AWS --password-stdin YOUR_ECR_REPO': {
    says: /^signed in at YOUR_ECR_REPO as AWS$/m,
  },
  'aws iam list-access-keys --user-name discord-bot': { says: /"AccessKeyMetadata"/ },
}

/** Typed on the operator's machine, for a pod at VALENCE_POD_IP: tests/lab/pod-commands.test.ts. */
export const towardsHost: PageLines = {
  'ssh -i ~/.ssh/valence_pod valence@$VALENCE_POD_IP': { says: /^valence$/m },
  'ssh root@HOST': { words: { HOST: '$VALENCE_POD_IP' }, says: /^root$/m },
  'cat ~/.ssh/valence_pod.pub | ssh root@$VALENCE_POD_IP "mkdir -p ~/.ssh && cat >> ~/.ssh/authorized_keys"': {},
  // It goes on for as long as the tunnel is wanted.
  'ssh -N -L 15432:localhost:5432 root@$VALENCE_POD_IP': { follows: true, ends: [124] },
}

/** A line as it is typed in a test. */
export const typed = (line: string, { words = {}, adds = '' }: PageLine): string =>
  Object.entries(words).reduce((all, [word, by]) => all.replaceAll(word, by), line) + adds
