import type { Remedies } from './remedy.ts'

const ofKeys = 'tests/unit/stoat/remedies-of-keys.test.ts'
const ofReleases = 'tests/unit/stoat/remedies-of-releases.test.ts'
const ofAdoption = 'tests/unit/stoat/remedies-of-adoption.test.ts'
const adoption = 'tests/lab/stoat/adoption-tests.ts'

/** How many nobody followed yet: this may only fall. */
export const untriedOfClouds = 49

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
    {
      says: 'both look like the data of',
      test: ofAdoption,
      has: 'of two claims that look alike, once it is said of one',
    },
    {
      says: 'STOAT_ENCRYPTION_KEY is another key than',
      test: ofAdoption,
      has: 'with another key than the environment names',
    },
    {
      says: 'there are two encryption keys:',
      test: ofAdoption,
      has: "'with two keys'",
    },
    {
      says: 'Set STOAT_ENCRYPTION_KEY to that key: your copy of its Revolt.toml has',
      test: ofAdoption,
      has: 'with no key: a copy, or a new one as openssl prints it',
    },
    {
      says: 'STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are ',
      test: ofAdoption,
      has: 'with an S3 elsewhere',
    },
    {
      says: 'has written the data, and MongoDB',
      test: ofAdoption,
      has: 'of another version of MongoDB',
    },
    {
      says: ', which goes with its pod: it cannot be carried on',
      test: ofAdoption,
      has: 'of data in no volume, which is given up',
    },
    {
      says: 'kubectl describe persistentvolumeclaim',
      test: ofAdoption,
      has: 'of a claim that is not there, which is given up',
    },
    {
      says: 'there are claim',
      test: ofAdoption,
      has: 'of two claims: the second is given up',
    },
    {
      says: 'too: two programs must never write to one volume',
      test: ofAdoption,
      has: 'of a volume that a stranger mounts, once that is away',
    },
    {
      says: ', and it is looked for at the root of the volume',
      test: adoption,
      has: 'until they were moved as it says',
    },
  ],
  'stoat/backup/judge.ts': [
    { says: ', this Stoat is', test: ofKeys, has: "'of another domain'" },
    {
      says: 's database is of revision',
      test: ofKeys,
      has: 'of a newer release, beside an image of the api',
    },
    {
      says: 'the archive is of MongoDB',
      test: ofKeys,
      has: 'of a newer MongoDB, once it is deployed',
    },
    { says: 'the archive is of bucket', test: ofKeys, has: "'of another bucket'" },
    {
      says: 'is another key (',
      test: ofKeys,
      has: 'with another VAPID key, and its public half',
    },
  ],
  'stoat/guards/backed-up.ts': [
    {
      says: 'there is no backup',
      test: ofReleases,
      has: 'that migrates, once there is a backup',
    },
  ],
  'stoat/guards/files.ts': [
    {
      says: 'STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are ',
      test: ofKeys,
      has: 'an S3 elsewhere while MinIO has the files: they stay there',
    },
  ],
  'stoat/guards/keys.ts': [
    {
      says: 'STOAT_ENCRYPTION_KEY is another key than the cluster',
      test: ofKeys,
      has: 'another encryption key than the cluster has',
    },
    {
      says: 'there is no encryption key, but',
      test: ofKeys,
      has: 'none, though there are files: the copy of it',
    },
    {
      says: '_PASS is the example',
      test: ofKeys,
      has: 'a password that everybody knows',
    },
    {
      says: 'holds two encryption keys:',
      test: ofKeys,
      has: 'two encryption keys in the Secret',
    },
    {
      says: 'is not a VAPID key',
      test: ofKeys,
      has: 'a VAPID key that is none: the copy of it, or a new one',
    },
  ],
  'stoat/guards/mongodb-version.ts': [
    {
      says: 'runs: with it the api crashes from its second start on',
      test: ofReleases,
      has: 'that the release of Stoat does not start with',
    },
    {
      says: 'is older than the MongoDB that runs (',
      test: ofReleases,
      has: 'that is older goes back to what runs',
    },
    {
      says: 'does not open the data of MongoDB',
      test: ofReleases,
      has: 'that skips a release takes that one first',
    },
    {
      says: 'is the release after',
      test: ofReleases,
      has: 'that follows one that tells nothing waits for it',
    },
    {
      says: 'does not start with data whose format (featureCompatibilityVersion) is',
      test: ofReleases,
      has: 'whose data has an older format, which is set first',
    },
  ],
  'stoat/guards/mongodb.ts': [
    {
      says: 'crashes on Linux',
      test: ofReleases,
      has: 'that crashes on the nodes',
    },
    {
      says: 'needs processors with AVX, and no node has them',
      test: ofReleases,
      has: "'that needs AVX'",
    },
  ],
  'stoat/guards/original.ts': [
    {
      says: 'another program made',
      test: adoption,
      has: 'is adopted: the same volumes, the same documents and files, the same keys',
    },
    {
      says: 'the adoption has not come to its end: volume',
      test: adoption,
      has: 'lets no deployment come in between where it was ended with a volume between two claims',
    },
    {
      says: 'looks like the data of',
      test: ofKeys,
      has: 'a claim that looks like one of Stoat, which it is not',
    },
  ],
  'stoat/guards/redis.ts': [
    {
      says: 'there is no Redis in the cluster yet',
      test: ofKeys,
      has: 'no Redis: that of the cluster, or one of your own',
    },
  ],
  'stoat/guards/release.ts': [
    {
      says: 'the database is of revision',
      test: ofReleases,
      has: 'where an image of the api is named, which has to go',
    },
    {
      says: 'is older than what runs (',
      test: ofReleases,
      has: 'that is older than what runs, where MongoDB does not answer',
    },
    {
      says: 'may migrate the database, and MongoDB does not tell its revision:',
      test: ofReleases,
      has: 'that may migrate what cannot be read',
    },
  ],
  'stoat/guards/restore.ts': [
    {
      says: 'came to no end: its database and its files may be half in place',
      test: 'tests/lab/stoat/backup-tests.ts',
      has: 'comes back into a Stoat that was made anew, over a restore that was killed',
    },
  ],
}
