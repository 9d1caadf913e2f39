import { dirname } from 'node:path'
import { addPin, printOf } from '../../command/pins.ts'
import { sh } from '../../command/sh.ts'
import { changes, converged, create, type Dependency, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { pinsIn, signingKeyState } from '../../facts/host/signing-key.ts'

interface SigningKeyOptions {
  /** The file on this machine that keeps the public halves that are believed. */
  readonly pins: string
  /** What it signs, in the words of a plan: `scheduled backups`. */
  readonly signs: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A private key of ed25519 that root alone reads, at `path` on the host, and its public half pinned on this machine: `on`
 * is a host {@link withPins}. A key that was not pinned here, where others were, is refused.
 */
export function signingKey(on: Target, path: string, { pins, signs, dependsOn = [] }: SigningKeyOptions): Step {
  const shown = pins.slice(pins.lastIndexOf('/.infra/') + 1)
  const now = signingKeyState(path)
  return step({
    id: `key that signs ${signs}`,
    on,
    dependsOn,
    ask: { now, pinned: pinsIn(pins) },
    plan({ now: found, pinned }) {
      if (found === null) {
        const make = sh`umask 077 && mkdir -p ${dirname(path)} && openssl genpkey -algorithm ed25519 -out ${`${path}.new`} && sync ${`${path}.new`} && mv -fT ${`${path}.new`} ${path}`
        // Made by this very run: it is pinned beside those of earlier hosts, whose archives stay good.
        const say = `key that signs ${signs}; its public half pinned on this machine`
        return changes([create(say, [make, addPin(pins, now.command)])], '')
      }
      const { key, isPrivate } = found
      if (!isPrivate)
        return refuse(
          `${path} on the host can be read by others than root: whoever had it can sign archives`,
          `On the host, as root: rm ${path}. Here: take the line of ${key} out of ${shown}. Then deploy again.`,
        )
      const pin = pinned.find((one) => one.key === key)
      if (pin) return converged(`${printOf(key)}, pinned ${pin.since}`)
      if (pinned.length === 0)
        return changes([create(`${printOf(key)}, which signs ${signs}, pinned on this machine`, addPin(pins, key))], '')
      return refuse(
        `the key that signs ${signs} on the host, ${printOf(key)}, is not one that is pinned in ${shown}`,
        `Somebody changed ${path} on the host, or another machine deployed a new host. If you know that it is right: echo ${key} >>${shown}`,
      )
    },
  })
}
