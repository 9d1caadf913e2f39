import type { Remedies } from './remedy.ts'

/** How many nobody followed yet: this may only fall. */
export const untriedOfClouds = 87

export const remediesOfClouds: Remedies = {
  'shared/src/steps/aws/dynamodb.ts': [
    { says: 's keys cannot be changed', untried: true },
    { says: 'table.status ===', untried: true },
    { says: ', and an index cannot be changed', untried: true },
    { says: 'is being deleted', untried: true },
    { says: 'is being switched off', untried: true },
    { says: ', and AWS does not change that while it is on', untried: true },
  ],
  'shared/src/steps/aws/iam-keys.ts': [
    { says: 'there is no user', untried: true },
    { says: 'access keys that were not made here (', untried: true },
  ],
  'shared/src/steps/aws/iam.ts': [{ says: 'there is no user', untried: true }],
  'shared/src/steps/aws/image.ts': [
    { says: 'cannot be built:', untried: true },
    { says: 'packer is not installed', untried: true },
    { says: 'there is no image', untried: true },
    { says: 'there is no docker, podman or buildah here that works', untried: true },
    { says: 'does not work here', untried: true },
  ],
  'shared/src/steps/aws/removal.ts': [
    { says: ', which this program did not give it, and IAM deletes no user with any', untried: true },
  ],
  'shared/src/steps/aws/sqs.ts': [{ says: 'is a FIFO queue instead of a standard one, and a queue', untried: true }],
  'shared/src/steps/digitalocean/dns.ts': [
    { says: ', beside which no A record can be', untried: true },
    { says: ') => data).join(', untried: true },
  ],
  'shared/src/steps/digitalocean/droplet.ts': [
    { says: 'DigitalOcean has no droplet size', untried: true },
    { says: 'DigitalOcean does not offer', untried: true },
    { says: 'DigitalOcean has no image', untried: true },
    { says: 'tellTwins(name, found),', untried: true },
    { says: ', and a droplet is never moved or replaced here', untried: true },
    { says: ', and a droplet is never resized or replaced here', untried: true },
    { says: 'doctl compute droplet-action power-on', untried: true },
  ],
  'shared/src/steps/digitalocean/firewall.ts': [{ says: 'cloud firewalls of the name', untried: true }],
  'shared/src/steps/digitalocean/kubernetes.ts': [
    { says: 'Kubernetes clusters of the name', untried: true },
    { says: 'See it in the control panel (doctl kubernetes cluster get', untried: true },
    { says: 'there is no Kubernetes cluster', untried: true },
    { says: 'DigitalOcean has no', untried: true },
    { says: 'DigitalOcean does not offer', untried: true },
  ],
  'shared/src/steps/digitalocean/removal.ts': [{ says: 'Kubernetes cluster', untried: true }],
  'shared/src/steps/kubernetes/claims.ts': [
    { says: 'there is no storage class', untried: true },
    { says: 'makes volumes of', untried: true },
    { says: 'To move the data to a volume of another class', untried: true },
    { says: 'still waits for class', untried: true },
    { says: "values.join(' and ')", untried: true },
    { says: ': the data would not come along', untried: true },
  ],
  'shared/src/steps/kubernetes/foreign-parts.ts': [{ says: 'has a volume of the name', untried: true }],
  'shared/src/steps/kubernetes/kubeconfig.ts': [
    { says: 'doctl is not installed, and kubectl signs in to the cluster by it', untried: true },
  ],
  'shared/src/steps/kubernetes/manifests.ts': [
    { says: 'An earlier script makes it: run without --tags.', untried: true },
    { says: 'the cluster does not know the kind', untried: true },
    { says: 'denied the request:', untried: true },
    { says: 'cannot become as it shall be:', untried: true },
    { says: ', and a volume keeps its size here', untried: true },
  ],
  'shared/src/steps/kubernetes/namespace.ts': [{ says: 'is being deleted', untried: true }],
  'shared/src/steps/kubernetes/pull-secret.ts': [{ says: ', and a Secret keeps its type', untried: true }],
  'shared/src/steps/kubernetes/restart.ts': [{ says: 'npm run deploy -w', untried: true }],
  'shared/src/steps/kubernetes/same-region.ts': [{ says: 'in the cluster works in', untried: true }],
  'stoat/adoption/judge.ts': [
    { says: 'both look like the data of', untried: true },
    { says: 'STOAT_ENCRYPTION_KEY is another key than', untried: true },
    { says: 'there are two encryption keys:', untried: true },
    { says: 'Set STOAT_ENCRYPTION_KEY to that key: your copy of its Revolt.toml has', untried: true },
    { says: 'STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are ', untried: true },
    { says: 'has written the data, and MongoDB', untried: true },
    { says: ', which goes with its pod: it cannot be carried on', untried: true },
    { says: 'kubectl describe persistentvolumeclaim', untried: true },
    { says: 'there are claim', untried: true },
    { says: 'too: two programs must never write to one volume', untried: true },
    { says: ', and it is looked for at the root of the volume', untried: true },
  ],
  'stoat/backup/judge.ts': [
    { says: ', this Stoat is', untried: true },
    { says: 's database is of revision', untried: true },
    { says: 'the archive is of MongoDB', untried: true },
    { says: 'the archive is of bucket', untried: true },
    { says: 'is another key (', untried: true },
  ],
  'stoat/guards/backed-up.ts': [{ says: 'there is no backup', untried: true }],
  'stoat/guards/files.ts': [
    { says: 'STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are ', untried: true },
  ],
  'stoat/guards/keys.ts': [
    { says: 'STOAT_ENCRYPTION_KEY is another key than the cluster', untried: true },
    { says: 'there is no encryption key, but', untried: true },
    { says: '_PASS is the example', untried: true },
    { says: 'holds two encryption keys:', untried: true },
    { says: 'is not a VAPID key', untried: true },
  ],
  'stoat/guards/mongodb-version.ts': [
    { says: 'runs: with it the api crashes from its second start on', untried: true },
    { says: 'is older than the MongoDB that runs (', untried: true },
    { says: 'does not open the data of MongoDB', untried: true },
    { says: 'is the release after', untried: true },
    { says: 'does not start with data whose format (featureCompatibilityVersion) is', untried: true },
  ],
  'stoat/guards/mongodb.ts': [
    { says: 'crashes on Linux', untried: true },
    { says: 'needs processors with AVX, and no node has them', untried: true },
  ],
  'stoat/guards/original.ts': [
    { says: 'another program made', untried: true },
    { says: 'the adoption has not come to its end: volume', untried: true },
    { says: 'looks like the data of', untried: true },
  ],
  'stoat/guards/redis.ts': [{ says: 'there is no Redis in the cluster yet', untried: true }],
  'stoat/guards/release.ts': [
    { says: 'the database is of revision', untried: true },
    { says: 'is older than what runs (', untried: true },
    { says: 'may migrate the database, and MongoDB does not tell its revision:', untried: true },
  ],
  'stoat/guards/restore.ts': [
    { says: 'came to no end: its database and its files may be half in place', untried: true },
  ],
}
