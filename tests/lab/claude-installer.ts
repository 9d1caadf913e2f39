import { labName } from './authority.ts'
import { answer, listen } from './http.ts'

/** A stand-in for Claude Code's installer, served to lab hosts. */
export type ClaudeInstaller = {
  /** The same for all hosts: each knows the machine by one name. */
  readonly url: string
  /** Paths that were asked for, in order. */
  requests(): readonly string[]
  stop(): Promise<void>
}

const version = '2.0.0 (Claude Code)'

// Like the real one: for the calling user, into ~/.local/bin, no root needed.
const script = `#!/bin/bash
set -eu
mkdir -p "$HOME/.local/bin"
cat >"$HOME/.local/bin/claude" <<'PROGRAM'
#!/bin/sh
echo '${version}'
PROGRAM
chmod 755 "$HOME/.local/bin/claude"
echo 'Claude Code successfully installed!'
`

/** Serves `install.sh` at the hosts' gateways, by default on port 8480. */
export async function claudeInstaller(
  hosts: readonly { readonly gateway: string }[],
  port = 8480,
): Promise<ClaudeInstaller> {
  const paths: string[] = []
  const server = await listen(
    hosts.map((host) => host.gateway),
    port,
    (request, response) => {
      paths.push(request.url ?? '')
      if (request.url === '/install.sh') answer(response, 200, script)
      else answer(response, 404, 'not found\n')
    },
  )
  return {
    url: `http://${labName}:${server.port}/install.sh`,
    requests: () => [...paths],
    stop: server.stop,
  }
}
