// The real parts: containerd with its shim, the SOCI snapshotter, our client of both, all built by Go; runc and FUSE from Debian.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensure } from '../../scripts/tools.mjs'

const folder = fileURLToPath(new URL('../../.cache/startup/bin/', import.meta.url))
const client = fileURLToPath(new URL('client', import.meta.url))
const reference = fileURLToPath(new URL('../../conformance/soci-cli', import.meta.url))

const CONTAINERD = 'github.com/containerd/containerd/v2/cmd/containerd'
const SHIM = 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2'
/** containerd without what nothing here uses, which halves the time to build it. */
const TAGS = 'no_cri no_btrfs no_devmapper no_zfs no_tracing'
const SNAPSHOTTER = 'github.com/awslabs/soci-snapshotter/cmd/soci-snapshotter-grpc'

/** @typedef {{ containerd: string, snapshotter: string, client: string }} Parts paths */

/** Why nothing can be started here, in one line; undefined where it can. */
export function whyNot() {
  if (process.platform !== 'linux') return 'start-up needs Linux: containerd, FUSE and namespaces'
  if (process.getuid() !== 0) return 'start-up needs root: it mounts file systems and runs containers'
  if (!existsSync('/dev/fuse'))
    return 'start-up needs FUSE: there is no /dev/fuse (load the module fuse, or give the container the device)'
  if (spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']).status !== 0)
    return 'start-up needs mount and PID namespaces: unshare is refused here (a container must be privileged)'
  if (spawnSync('go', ['version']).status !== 0)
    return 'start-up needs Go, to build containerd and the SOCI snapshotter'
  return undefined
}

/** Whether `startupParts` has built all before: then it only checks, which takes seconds. */
export function areBuilt() {
  return ['containerd', 'containerd-shim-runc-v2', 'soci-snapshotter-grpc', 'startup-client'].every((name) =>
    existsSync(join(folder, name)),
  )
}

/**
 * Builds what is not built yet; Go's cache makes that quick the next time. The first time it takes minutes.
 * @returns {Parts}
 * @throws Error of one line
 */
export function startupParts() {
  const reason = whyNot()
  if (reason) throw new Error(reason)
  ensure('runc')
  ensure('fusermount3')
  mkdirSync(folder, { recursive: true })
  const built = (cwd, name, ...packages) => {
    const args = ['build', '-trimpath', `-tags=${TAGS}`, '-ldflags=-s -w', '-o', folder, ...packages]
    const { status, stderr, error } = spawnSync('go', args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 })
    if (status !== 0)
      throw new Error(`go build ${packages.join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
    return join(folder, name)
  }
  return {
    containerd: built(client, 'containerd', CONTAINERD, SHIM),
    snapshotter: built(reference, 'soci-snapshotter-grpc', SNAPSHOTTER),
    client: built(client, 'startup-client', '.'),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(Object.values(startupParts()).join('\n'))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
