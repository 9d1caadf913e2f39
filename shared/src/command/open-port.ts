/** A port, or a range of ports, that a firewall lets in. */
export interface OpenPort {
  /** `3478`, or `49152:65535` as ufw has it. */
  readonly port: string
  readonly protocol: 'tcp' | 'udp'
  /** The network or address that may come in; undefined: everybody. */
  readonly from?: string | undefined
}

/** As a user writes it: `3478/udp`, `5349/tcp from 10.0.0.0/8`. */
export const sayOpenPort = ({ port, protocol, from }: OpenPort): string =>
  `${port.replace(':', '-')}/${protocol}${from === undefined ? '' : ` from ${from}`}`
