import type { Remedies } from './remedy.ts'

const ofKeys = 'tests/unit/stoat/remedies-of-keys.test.ts'
const ofReleases = 'tests/unit/stoat/remedies-of-releases.test.ts'
const ofAdoption = 'tests/unit/stoat/remedies-of-adoption.test.ts'
const adoption = 'tests/lab/stoat/adoption-tests.ts'
const ofAws = 'tests/unit/steps/aws/remedies.test.ts'
const ofDigitalOcean = 'tests/unit/steps/digitalocean/remedies.test.ts'
const ofKubernetes = 'tests/unit/steps/kubernetes/remedies.test.ts'
const storage = 'tests/lab/storage.test.ts'
const tables = 'tests/lab/dynamodb.test.ts'

/** How many nobody followed yet: this may only fall. */
export const untriedOfClouds = 0

export const remediesOfClouds: Remedies = {
  'shared/src/steps/aws/dynamodb.ts': [
    { says: 's keys cannot be changed', test: tables, has: 'takes tables as the original made them, once the' },
    { says: 'table.status ===', test: ofAws, has: 'that %s is waited for' },
    { says: ', and an index cannot be changed', test: ofAws, has: 'whose index has other keys gets ours when the' },
    { says: 'is being deleted', test: ofAws, has: 'index by-time of messages is being deleted' },
    { says: 'is being switched off', test: ofAws, has: 'whose expiry is being switched off gets it an hour later' },
    { says: ', and AWS does not change that while it is on', test: ofAws, has: 'whose items expire otherwise takes' },
  ],
  'shared/src/steps/aws/iam-keys.ts': [
    { says: 'there is no user', test: ofAws, has: 'that nothing makes is made first where the run is whole' },
    { says: 'access keys that were not made here (', test: ofAws, has: 'whose two keys are those of others gets one' },
  ],
  'shared/src/steps/aws/iam.ts': [
    { says: 'there is no user', test: ofAws, has: 'that nothing makes is made first where the run is whole' },
  ],
  'shared/src/steps/aws/image.ts': [
    { says: 'cannot be built:', test: ofAws, has: 'whose folder has no Dockerfile' },
    { says: 'packer is not installed', test: ofAws, has: 'of Packer, once that is installed' },
    { says: 'there is no image', test: ofAws, has: 'that nothing says how to build' },
    { says: 'there is no docker, podman or buildah here that works', test: ofAws, has: 'where no program builds' },
    { says: 'does not work here', test: ofAws, has: 'where the program that was named does not work, by another one' },
  ],
  'shared/src/steps/aws/removal.ts': [
    {
      says: ', which this program did not give it, and IAM deletes no user with any',
      test: 'tests/lab/cluster-commands.test.ts',
      has: 'the remedy as printed lets the user go',
    },
  ],
  'shared/src/steps/aws/sqs.ts': [
    { says: 'is a FIFO queue instead of a standard one, and a queue', test: ofAws, has: 'a queue of another kind is' },
  ],
  'shared/src/steps/digitalocean/dns.ts': [
    { says: ', beside which no A record can be', test: ofDigitalOcean, has: 'an alias goes by the command, and the' },
    { says: ') => data).join(', test: ofDigitalOcean, has: 'A records of a name, %s: the command leaves that of the' },
  ],
  'shared/src/steps/digitalocean/droplet.ts': [
    { says: 'DigitalOcean has no droplet size', test: ofDigitalOcean, has: 'of a size that is not known takes' },
    { says: 'DigitalOcean does not offer', test: ofDigitalOcean, has: 'of a size that is not offered in the region' },
    { says: 'DigitalOcean has no image', test: ofDigitalOcean, has: 'of an image that is not known takes another one' },
    { says: 'tellTwins(name, found),', test: ofDigitalOcean, has: 'that has a twin stays when that is renamed' },
    { says: ', and a droplet is never moved or replaced here', test: ofDigitalOcean, has: 'in another region is' },
    { says: ', and a droplet is never resized or replaced here', test: ofDigitalOcean, has: 'of another size is' },
    { says: 'doctl compute droplet-action power-on', test: ofDigitalOcean, has: 'that is off is switched on by the' },
  ],
  'shared/src/steps/digitalocean/firewall.ts': [
    { says: 'cloud firewalls of the name', test: ofDigitalOcean, has: 'of cloud firewalls of one name the command' },
  ],
  'shared/src/steps/digitalocean/kubernetes.ts': [
    { says: 'Kubernetes clusters of the name', test: ofDigitalOcean, has: 'that has a twin gets a name of its own' },
    {
      says: 'See it in the control panel (doctl kubernetes cluster get',
      test: ofDigitalOcean,
      has: 'that is in error is made anew when it is gone',
    },
    { says: 'there is no Kubernetes cluster', test: ofDigitalOcean, has: 'that is not there is made by --create, or' },
    { says: 'DigitalOcean has no', test: ofDigitalOcean, has: 'of a version that is not offered takes one of the' },
    { says: 'DigitalOcean does not offer', test: ofDigitalOcean, has: 'of a size that the region has not takes one' },
  ],
  'shared/src/steps/digitalocean/removal.ts': [
    { says: 'Kubernetes cluster', test: ofDigitalOcean, has: 'that was not made here is left, or deleted by the' },
  ],
  'shared/src/steps/kubernetes/claims.ts': [
    { says: 'there is no storage class', test: ofKubernetes, has: 'of a class that is not there takes one of the' },
    { says: 'makes volumes of', test: storage, has: 'that Terraform made of %s keep their data when the remedy is' },
    { says: 'To move the data to a volume of another class', test: ofKubernetes, has: 'of another %s is kept by' },
    { says: 'still waits for class', test: storage, has: 'that are never made say why, and are followed by others' },
    { says: "values.join(' and ')", test: storage, has: 'that Terraform made of %s keep their data when the remedy' },
    { says: ': the data would not come along', test: ofKubernetes, has: 'a claim of a name that no variable says is' },
  ],
  'shared/src/steps/kubernetes/foreign-parts.ts': [
    { says: 'has a volume of the name', test: storage, has: 'of a sandbox that kept its files in its pod, as' },
  ],
  'shared/src/steps/kubernetes/kubeconfig.ts': [
    {
      says: 'doctl is not installed, and kubectl signs in to the cluster by it',
      test: ofDigitalOcean,
      has: 'is signed in to once doctl is installed',
    },
  ],
  'shared/src/steps/kubernetes/manifests.ts': [
    { says: 'An earlier script makes it: run without --tags.', test: ofKubernetes, has: 'that an earlier script' },
    { says: 'the cluster does not know the kind', test: ofKubernetes, has: 'of a kind that the cluster does not' },
    {
      says: 'denied the request:',
      why: "What a webhook or a policy wants is its maker's to say: tests/lab/admission.test.ts runs the lines that name it.",
    },
    { says: 'cannot become as it shall be:', test: storage, has: 'outlive a StatefulSet that has to be taken away,' },
    { says: ', and a volume keeps its size here', test: ofKubernetes, has: 'of a size that was made are kept by the' },
  ],
  'shared/src/steps/kubernetes/namespace.ts': [
    { says: 'is being deleted', test: 'tests/lab/admission.test.ts', has: 'a namespace that is being deleted is' },
  ],
  'shared/src/steps/kubernetes/pull-secret.ts': [
    { says: ', and a Secret keeps its type', test: ofKubernetes, has: 'a pull secret of another type is made anew' },
  ],
  'shared/src/steps/kubernetes/restart.ts': [
    { says: 'npm run deploy -w', test: ofKubernetes, has: 'what is to be restarted is there after a deploy' },
  ],
  'shared/src/steps/kubernetes/same-region.ts': [
    { says: 'in the cluster works in', test: ofKubernetes, has: 'the region is set to the one that the cluster was' },
  ],
  'stoat/adoption/judge.ts': [
    { says: 'both look like the data of', test: ofAdoption, has: 'of two claims that look alike, once it is said of' },
    { says: 'STOAT_ENCRYPTION_KEY is another key than', test: ofAdoption, has: 'with another key than the' },
    { says: 'there are two encryption keys:', test: ofAdoption, has: "'with two keys'" },
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
    { says: 'has written the data, and MongoDB', test: ofAdoption, has: 'of another version of MongoDB' },
    { says: ', which goes with its pod: it cannot be carried on', test: ofAdoption, has: 'of data in no volume,' },
    { says: 'kubectl describe persistentvolumeclaim', test: ofAdoption, has: 'of a claim that is not there, which' },
    { says: 'there are claim', test: ofAdoption, has: 'of two claims: the second is given up' },
    { says: 'too: two programs must never write to one volume', test: ofAdoption, has: 'of a volume that a stranger' },
    { says: ', and it is looked for at the root of the volume', test: adoption, has: 'until they were moved as it' },
  ],
  'stoat/backup/judge.ts': [
    { says: ', this Stoat is', test: ofKeys, has: "'of another domain'" },
    { says: 's database is of revision', test: ofKeys, has: 'of a newer release, beside an image of the api' },
    { says: 'the archive is of MongoDB', test: ofKeys, has: 'of a newer MongoDB, once it is deployed' },
    { says: 'the archive is of bucket', test: ofKeys, has: "'of another bucket'" },
    { says: 'is another key (', test: ofKeys, has: 'with another VAPID key, and its public half' },
  ],
  'stoat/guards/backed-up.ts': [
    { says: 'there is no backup', test: ofReleases, has: 'that migrates, once there is a backup' },
  ],
  'stoat/guards/files.ts': [
    {
      says: 'STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are ',
      test: ofKeys,
      has: 'an S3 elsewhere while MinIO has the files: they stay there',
    },
  ],
  'stoat/guards/keys.ts': [
    { says: 'STOAT_ENCRYPTION_KEY is another key than the cluster', test: ofKeys, has: 'another encryption key than' },
    { says: 'there is no encryption key, but', test: ofKeys, has: 'none, though there are files: the copy of it' },
    { says: '_PASS is the example', test: ofKeys, has: 'a password that everybody knows' },
    { says: 'holds two encryption keys:', test: ofKeys, has: 'two encryption keys in the Secret' },
    { says: 'is not a VAPID key', test: ofKeys, has: 'a VAPID key that is none: the copy of it, or a new one' },
  ],
  'stoat/guards/mongodb-version.ts': [
    { says: 'runs: with it the api crashes from its second start on', test: ofReleases, has: 'that the release of' },
    { says: 'is older than the MongoDB that runs (', test: ofReleases, has: 'that is older goes back to what runs' },
    { says: 'does not open the data of MongoDB', test: ofReleases, has: 'that skips a release takes that one first' },
    { says: 'is the release after', test: ofReleases, has: 'that follows one that tells nothing waits for it' },
    {
      says: 'does not start with data whose format (featureCompatibilityVersion) is',
      test: ofReleases,
      has: 'whose data has an older format, which is set first',
    },
  ],
  'stoat/guards/mongodb.ts': [
    { says: 'crashes on Linux', test: ofReleases, has: 'that crashes on the nodes' },
    { says: 'needs processors with AVX, and no node has them', test: ofReleases, has: "'that needs AVX'" },
  ],
  'stoat/guards/original.ts': [
    { says: 'another program made', test: adoption, has: 'is adopted: the same volumes, the same documents and' },
    { says: 'the adoption has not come to its end: volume', test: adoption, has: 'lets no deployment come in' },
    { says: 'looks like the data of', test: ofKeys, has: 'a claim that looks like one of Stoat, which it is not' },
  ],
  'stoat/guards/redis.ts': [
    { says: 'there is no Redis in the cluster yet', test: ofKeys, has: 'no Redis: that of the cluster, or one of' },
  ],
  'stoat/guards/release.ts': [
    { says: 'the database is of revision', test: ofReleases, has: 'where an image of the api is named, which has to' },
    { says: 'is older than what runs (', test: ofReleases, has: 'that is older than what runs, where MongoDB does' },
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
      has: 'comes back into a Stoat that was made anew, over a restore that',
    },
  ],
}
