import type { Services } from '@infra/shared/platform/commands/services'

/** The parts of Stoat that run, by the words of the commands. */
export const stoatCommandServices: Services = {
  services: {
    mongodb: { workload: 'statefulset/stoat-mongodb', risk: 'downtime' },
    rabbitmq: { workload: 'statefulset/stoat-rabbitmq', risk: 'downtime' },
    minio: { workload: 'statefulset/stoat-minio', risk: 'downtime' },
    crond: { workload: 'deployment/stoat-crond', risk: 'downtime' },
    pushd: { workload: 'deployment/stoat-pushd', risk: 'downtime' },
    api: { workload: 'deployment/stoat-api', risk: 'downtime' },
    events: { workload: 'deployment/stoat-events', risk: 'restart' },
    autumn: { workload: 'deployment/stoat-autumn', risk: 'restart' },
    january: { workload: 'deployment/stoat-january', risk: 'restart' },
    gifbox: { workload: 'deployment/stoat-gifbox', risk: 'restart' },
    web: { workload: 'deployment/stoat-web', risk: 'restart' },
    caddy: { workload: 'deployment/stoat-caddy', risk: 'downtime' },
  },
  aliases: { mongo: 'mongodb', rabbit: 'rabbitmq', gateway: 'caddy', 'file-server': 'autumn', proxy: 'january' },
}
