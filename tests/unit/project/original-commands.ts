/** A command of an original's instructions, and what is typed now. */
export interface Original {
  readonly typed: string
  /** The new line; `verbatim` where it still does the same; `nothing` where nobody types anything any more. */
  readonly now: 'verbatim' | 'nothing' | (string & {})
  /** Where, why or what else to know, as markdown. */
  readonly note?: string
}

const same = (typed: string, note?: string): Original => ({ typed, now: 'verbatim', ...(note && { note }) })
const becomes = (typed: string, now: string, note?: string): Original => ({ typed, now, ...(note && { note }) })
const gone = (typed: string, note: string): Original => ({ typed, now: 'nothing', note })

const inFile = 'a line of `.env.pod`'
const generate = 'npm run validate -w pod -- --generate'
const generated = `it makes each secret that is missing. A line with \`$(…)\` is refused: write the deployed value into it, which the message tells how to read`
const onHost = 'on the host (`npm run ssh -w pod`)'

/** Every command of the original deployment of the pod by Ansible, in its order, each once. */
export const podCommands: readonly Original[] = [
  same('cp .env.example .env.pod'),
  gone('source .env.pod', 'every command reads `.env.pod`; sourced, it counts as well'),
  becomes('./scripts/validate-env.sh', 'npm run validate -w pod'),
  becomes('./deploy.sh --check', 'npm run deploy -w pod -- --check', 'or `npm run plan -w pod`'),
  becomes('./deploy.sh', 'npm run deploy -w pod', 'asks first; `-- --yes` does not. A second run has 0 changes'),
  becomes('./scripts/verify-deployment.sh', 'npm run verify -w pod'),
  same('export VALENCE_POD_IP="your.droplet.ip"', inFile),
  same('export VALENCE_DOMAIN="your.domain.com"', inFile),
  same('export LETSENCRYPT_EMAIL="your@email.com"', inFile),
  same('export VALENCE_SSH_PUBKEY_FILE="~/.ssh/valence_pod.pub"', inFile),
  same('export VALENCE_SSH_PUBKEY="ssh-ed25519 AAAA... user@host"', inFile),
  becomes('export VALENCE_DB_PASSWORD="$(openssl rand -base64 32)"', generate, generated),
  becomes('export VALENCE_BOT_PASSWORD="$(openssl rand -base64 32)"', generate, generated),
  becomes('export SYNAPSE_ADMIN_PASSWORD="$(openssl rand -base64 32)"', generate, generated),
  becomes('export SYNAPSE_REGISTRATION_SECRET="$(openssl rand -base64 32)"', generate, generated),
  becomes('export SYNAPSE_MACAROON_SECRET="$(openssl rand -base64 32)"', generate, generated),
  becomes('export SYNAPSE_FORM_SECRET="$(openssl rand -base64 32)"', generate, generated),
  same('export OPENAI_API_KEY="sk-..."', inFile),
  same('export ANTHROPIC_API_KEY="sk-ant-..."', `${inFile}; optional`),
  becomes('./deploy.sh -c', 'npm run deploy -w pod -- -c', 'behind `--`: npm keeps a `-c` of its own without a trace'),
  becomes('./deploy.sh -v', 'npm run deploy -w pod -- -v'),
  becomes('./deploy.sh --verbose', 'npm run deploy -w pod -- --verbose'),
  becomes(
    './deploy.sh -t vkb',
    'npm run deploy -w pod -- -t vkb',
    'the tags of the roles are the same, but for `verify`, a command of its own',
  ),
  becomes('./deploy.sh --tags vkb', 'npm run deploy -w pod -- --tags vkb'),
  becomes('./deploy.sh --skip-validation', 'npm run deploy -w pod -- --skip-validation'),
  becomes('./deploy.sh --skip-verification', 'npm run deploy -w pod -- --skip-verification'),
  becomes('./deploy.sh -h', 'npm run deploy -w pod -- -h'),
  becomes('./deploy.sh --help', 'npm run deploy -w pod -- --help'),
  becomes('./scripts/validate-env.sh --generate', generate, 'writes them to `.env.pod`'),
  becomes('./scripts/validate-env.sh --export', 'npm run validate -w pod -- --export'),
  gone('doctl auth init', '`DIGITALOCEAN_TOKEN` in `.env.pod`'),
  becomes(
    'doctl compute droplet create valence-pod --image ubuntu-24-04-x64 --size s-2vcpu-4gb --region nyc1 --ssh-keys $(doctl compute ssh-key list --format ID --no-header | head -1) --wait',
    'npm run provision -w pod',
    'the same image, size and region; one of that name is adopted. Typed as before it works as well',
  ),
  becomes(
    'export VALENCE_POD_IP=$(doctl compute droplet get valence-pod --format PublicIPv4 --no-header)',
    'npm run provision -w pod -- --write-env',
    'writes address and host key to `.env.pod`',
  ),
  same('ssh-keygen -t ed25519 -f ~/.ssh/valence_pod -N ""'),
  same('export VALENCE_SSH_PUBKEY_FILE="$HOME/.ssh/valence_pod.pub"', inFile),
  same(
    'cat ~/.ssh/valence_pod.pub | ssh root@$VALENCE_POD_IP "mkdir -p ~/.ssh && cat >> ~/.ssh/authorized_keys"',
    '`provision` gives a new droplet the key',
  ),
  gone('cd infra', 'commands run in the folder of this repository'),
  becomes('pip install ansible', 'npm install'),
  becomes('ansible-playbook -i inventory.yml site.yml', 'npm run deploy -w pod'),
  same('ssh -i ~/.ssh/valence_pod valence@$VALENCE_POD_IP'),
  same('claude', 'on the host, as `valence`: follow the OAuth prompts'),
  becomes('pytest tests/integration/test_deployment.py -v', 'npm run test:integration', '[testing.md](testing.md)'),
  becomes(
    'VALENCE_POD_IP=x.x.x.x VALENCE_DOMAIN=pod.example.com pytest tests/integration/test_deployment.py -v',
    'VALENCE_POD_IP=x.x.x.x VALENCE_DOMAIN=pod.example.com npm run test:integration',
  ),
  becomes('pytest tests/integration/test_deployment.py -v -m "not slow"', 'SKIP_SLOW=1 npm run test:integration'),
  becomes('ansible-playbook -i inventory.yml site.yml -t verify', 'npm run verify -w pod'),
  same('sudo systemctl status postgresql matrix-synapse vkb nginx', `${onHost}; or \`npm run status -w pod\``),
  same('sudo journalctl -u vkb -f', `${onHost}; or \`npm run logs -w pod -- vkb -f\``),
  same('sudo journalctl -u matrix-synapse -f', `${onHost}; or \`npm run logs -w pod -- synapse -f\``),
  same(
    'sudo journalctl --since "10 minutes ago" | grep -i error',
    `${onHost}; or \`npm run logs -w pod -- all --since "10 minutes ago"\``,
  ),
  same('curl https://your.domain.com/.well-known/matrix/server'),
  same('curl https://your.domain.com/.well-known/matrix/client'),
  same('curl https://your.domain.com/_matrix/client/versions'),
  same(
    'openssl s_client -connect your.domain.com:443 -servername your.domain.com < /dev/null 2>/dev/null | openssl x509 -noout -dates',
  ),
  becomes(
    'sudo -u postgres psql -d valence',
    'npm run psql -w pod',
    'as `valence`, the owner: do not work in it as the superuser ([why](runbook.md#database))',
  ),
  becomes('\\dt', "npm run psql -w pod -- '\\dt'"),
  becomes(
    "SELECT * FROM pg_extension WHERE extname = 'vector';",
    `npm run psql -w pod -- "SELECT * FROM pg_extension WHERE extname = 'vector'"`,
  ),
  same('sudo ufw status', onHost),
  same('systemctl status nginx', onHost),
  same('journalctl -u certbot', `${onHost}, with \`sudo\`; or \`npm run logs -w pod -- certbot\``),
  same('cat /opt/valence/config/vkb.env', `${onHost}, as \`valence\` or root`),
  same('sudo -u valence psql -h localhost -d valence', `${onHost}; or \`npm run psql -w pod\``),
  same(
    'source /opt/valence/config/vkb.env && /opt/valence/venv/bin/python -m valence.substrate.mcp_server --health-check',
    `${onHost}, as \`valence\``,
  ),
  same('journalctl -u matrix-synapse', `${onHost}, with \`sudo\`; or \`npm run logs -w pod -- synapse\``),
]

const output = (name: string) => `npm run -s output -w cluster -- ${name}`
const rollout = 'a deploy does it by itself when the image has changed'

/** Every command of the original deployment of cluster and Stoat by Terraform, in its order, each once. */
export const clusterCommands: readonly Original[] = [
  gone('brew install terraform packer awscli', 'install the aws CLI, kubectl and, at DigitalOcean, doctl'),
  same('aws configure', 'or keys in `.env.cluster`'),
  same('export DIGITALOCEAN_TOKEN=your_token', 'or a line of `.env.cluster`'),
  gone('cd terraform', 'commands run in the folder of this repository'),
  becomes('terraform init', 'npm install'),
  becomes('terraform plan', 'npm run plan', 'of cluster and Stoat; `-w cluster` for one'),
  becomes('terraform apply', 'npm run deploy', '`-- --create` makes the DOKS cluster, where there is none'),
  gone('cd docker', '`BOT_CONTEXT` names the folder of the bot'),
  becomes(
    'packer build -var "image_repository=YOUR_ECR_REPO" build.pkr.hcl',
    'npm run deploy -w cluster',
    'builds and pushes when a file has changed, by a Dockerfile, or by Packer (`BOT_PACKER_TEMPLATE`)',
  ),
  same('kubectl rollout restart deployment/discord-bot -n discord-bot', rollout),
  becomes(
    'packer build -var "image_repository=YOUR_ECR_REPO" dev-sandbox.pkr.hcl',
    'npm run deploy -w cluster',
    'as the bot; `SANDBOX_PACKER_TEMPLATE` for Packer',
  ),
  same('kubectl rollout restart deployment/dev-sandbox -n discord-bot', rollout),
  becomes('terraform state show random_password.stoat_encryption_key[0]', 'npm run show-keys -w stoat'),
  gone('cd stoat/self-hosted', 'the keys need no clone of it'),
  gone(
    './generate_config.sh your-domain.com',
    'the first deploy makes the VAPID pair and keeps it; or `npm run validate -w stoat -- --generate`',
  ),
  same('kubectl get service stoat-caddy -n discord-bot', 'or `npm run output -w stoat -- gateway_address`'),
  same('kubectl port-forward service/stoat-caddy 8080:80 -n discord-bot', 'or `npm run port-forward -w stoat`'),
  same('kubectl get pods -n discord-bot', 'or `npm run status`'),
  same('kubectl logs -f deployment/discord-bot -n discord-bot', 'or `npm run logs -w cluster -- bot -f`'),
  same('kubectl get pods -n discord-bot -l app=stoat-api'),
  same('kubectl get pods -n discord-bot -l app=stoat-web'),
  same('kubectl logs -f deployment/stoat-api -n discord-bot', 'or `npm run logs -w stoat -- api -f`'),
  same('kubectl logs -f deployment/stoat-events -n discord-bot'),
  becomes(
    'kubectl logs -f deployment/stoat-mongodb -n discord-bot',
    'kubectl logs -f statefulset/stoat-mongodb -n discord-bot',
    'it is a StatefulSet',
  ),
  same(
    'kubectl port-forward service/stoat-rabbitmq 15672:15672 -n discord-bot',
    'or `npm run port-forward -w stoat -- rabbitmq`',
  ),
  same(
    'kubectl port-forward service/stoat-minio 9001:9001 -n discord-bot',
    'or `npm run port-forward -w stoat -- minio`',
  ),
  same('aws dynamodb list-tables'),
  same(
    'aws dynamodb query --table-name discord-messages --key-condition-expression "pk = :threadId" --expression-attribute-values \'{":threadId":{"S":"1234567890"}}\'',
  ),
  becomes(
    'aws sqs get-queue-attributes --queue-url $(terraform output -raw agentic_events_queue_url) --attribute-names All',
    `aws sqs get-queue-attributes --queue-url $(${output('agentic_events_queue_url')}) --attribute-names All`,
  ),
  becomes(
    'aws sqs receive-message --queue-url $(terraform output -raw agentic_events_queue_url)',
    `aws sqs receive-message --queue-url $(${output('agentic_events_queue_url')})`,
  ),
  same(
    "aws ecr describe-images --repository-name discord-bot --query 'sort_by(imageDetails,& imagePushedAt)[-5:]'",
    'or `npm run images -w cluster`',
  ),
  same('kubectl describe pod -n discord-bot -l app=discord-bot'),
  same('kubectl logs -n discord-bot -l app=discord-bot --previous'),
  same('kubectl describe pod -n discord-bot -l app=stoat-api'),
  same('kubectl logs -n discord-bot -l app=stoat-api --previous'),
  same('kubectl get pods -n discord-bot -l app=stoat-mongodb'),
  same('kubectl get pods -n discord-bot -l app=stoat-rabbitmq'),
  same('kubectl get endpoints -n discord-bot'),
  becomes(
    'kubectl exec -n discord-bot deployment/stoat-api -- cat /Revolt.toml',
    'kubectl get configmap stoat-config -n discord-bot -o yaml',
    'the images have no shell and no `cat`',
  ),
  same('kubectl get jobs -n discord-bot'),
  same('kubectl logs -n discord-bot job/stoat-minio-create-buckets'),
  same('kubectl delete job stoat-minio-create-buckets -n discord-bot'),
  becomes(
    'terraform apply -target=kubernetes_job.stoat_minio_create_buckets',
    'npm run deploy -w stoat -- --tags buckets',
  ),
  same(
    'aws ecr get-login-password --region ca-central-1 | docker login --username AWS --password-stdin YOUR_ECR_REPO',
    'a deploy that builds signs in by itself',
  ),
  same('kubectl delete secret ecr-registry -n discord-bot'),
  becomes('terraform apply -target=kubernetes_secret.ecr_registry', 'npm run deploy -w cluster -- --tags namespace'),
  same('aws dynamodb describe-table --table-name discord_sessions'),
  same('kubectl exec -n discord-bot deployment/discord-bot -- env | grep AWS', 'where its image has `env`'),
  becomes('terraform output discord_messages_queue_url', output('discord_messages_queue_url')),
  becomes('terraform output agentic_events_queue_url', output('agentic_events_queue_url')),
  becomes('terraform output discord_messages_table_name', output('discord_messages_table_name')),
  becomes(
    'terraform destroy',
    'npm run destroy',
    '**never `terraform destroy`** on what is deployed from here; [uninstall.md](uninstall.md)',
  ),
]
