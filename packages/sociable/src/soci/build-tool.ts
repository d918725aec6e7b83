/**
 * Whether a build tool's identifier stands for sound zTOCs. `AWS SOCI CLI v0.1` and `v0.2` were written by versions with and without a
 * known fault (before soci-snapshotter 0.13, wrong spans for layers of several gzip members), and of others nothing is known.
 */
export function buildToolHealth(identifier: string): 'sound' | 'unknown' {
  return identifier === 'sociable v1' ? 'sound' : 'unknown'
}
