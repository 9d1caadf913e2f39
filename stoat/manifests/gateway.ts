import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'
import { locked, metaOf, plainEnv, podSecurity, resources } from '@infra/shared/platform/manifests'
import { namespace } from '@infra/shared/platform/names'
import type { StoatEnv } from '../env/env.ts'
import { caddyService } from '../services.ts'
import { caddyFiles } from './caddyfile.ts'
import { checksum, configMaps } from './config.ts'
import { deployment, serviceOn } from './programs.ts'

/** Certificates and the account that they were issued to. */
const certificates = 'stoat-caddy-data'

/** The variables that their volume follows from, for messages. */
export const claimVariables = { [certificates]: { size: 'STOAT_CADDY_STORAGE', storageClass: 'STORAGE_CLASS' } }

/** The kind of routes of the Gateway API, which not every cluster knows. */
export const httpRoutes = {
  kind: 'httproutes.gateway.networking.k8s.io',
  remedy: 'Or set STOAT_GATEWAY to load-balancer or cluster-ip.',
}

/** How Caddy is reached from outside: made before it, so that its first certificate is asked for where the name leads to it. */
export function entranceObjects(env: StoatEnv): KubeObject[] {
  const { name, http, https } = caddyService
  const balanced = env.STOAT_GATEWAY === 'load-balancer'
  const ports = {
    http: { port: http.service, targetPort: http.listens },
    ...(env.STOAT_TLS === 'gateway' && { https: { port: https.service, targetPort: https.listens } }),
  }
  // So that Caddy sees who the client is, by whose address the api limits its requests.
  const proxied = { 'service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol': 'true' }
  // Caddy asks for its certificate as soon as it runs, and is asked back before it counts as ready.
  const spec = { type: balanced ? 'LoadBalancer' : 'ClusterIP', publishNotReadyAddresses: true }
  return [
    serviceOn(name, ports, spec, balanced ? proxied : undefined),
    ...(env.STOAT_GATEWAY === 'http-route' ? [httpRoute(env)] : []),
  ]
}

/** Caddy, with the volume of its certificates. */
export function caddyObjects(env: StoatEnv): KubeObject[] {
  const tls = env.STOAT_TLS === 'gateway'
  return [...(tls ? [claim(env)] : []), caddy(env, tls)]
}

function claim(env: StoatEnv): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...metaOf(certificates), labels: { app: caddyService.name } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: env.STORAGE_CLASS,
      resources: { requests: { storage: env.STOAT_CADDY_STORAGE } },
    },
  }
}

function caddy(env: StoatEnv, tls: boolean): KubeObject {
  const { name, http, https, resources: range } = caddyService
  const look: KubeValue = { tcpSocket: { port: 'http' } }
  const port = (portName: string, containerPort: number) => ({ name: portName, containerPort, protocol: 'TCP' })
  return deployment(name, {
    // Its volume can be mounted once only, and two would both ask for a certificate.
    strategy: { type: 'Recreate' },
    annotations: { 'infra/config': checksum(Object.values(caddyFiles(env)).join('\n')) },
    spec: {
      securityContext: podSecurity(1000),
      containers: [
        {
          name,
          image: env.STOAT_CADDY_IMAGE,
          command: ['caddy', 'run', '--config', '/etc/caddy/Caddyfile', '--adapter', 'caddyfile'],
          env: plainEnv({ XDG_DATA_HOME: '/data', XDG_CONFIG_HOME: '/tmp', HOME: '/tmp' }),
          ports: [port('http', http.listens), ...(tls ? [port('https', https.listens)] : [])],
          startupProbe: { ...look, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 30 },
          readinessProbe: { ...look, periodSeconds: 10, timeoutSeconds: 5 },
          livenessProbe: { ...look, periodSeconds: 30, timeoutSeconds: 10 },
          resources: resources(range),
          // The file of the program carries this capability, and would not start where it may not have it.
          securityContext: { ...locked, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
          volumeMounts: [
            { name: 'config', mountPath: '/etc/caddy', readOnly: true },
            { name: 'data', mountPath: '/data' },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: configMaps.caddy, defaultMode: 0o444 } },
        tls ? { name: 'data', persistentVolumeClaim: { claimName: certificates } } : { name: 'data', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  })
}

function httpRoute(env: StoatEnv): KubeObject {
  const [first = '', second] = env.STOAT_GATEWAY_PARENT.split('/')
  const parent = second === undefined ? { name: first, namespace } : { name: second, namespace: first }
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metaOf(caddyService.name),
    spec: {
      parentRefs: [parent],
      hostnames: [env.STOAT_DOMAIN],
      rules: [{ backendRefs: [{ name: caddyService.name, port: caddyService.http.service }] }],
    },
  }
}
