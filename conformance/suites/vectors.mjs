// The committed golden vectors are still what the recipes make and the reference answers. (That ours answers so too is in `npm test`.)
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const name = 'golden vectors'

export async function run({ check, log }) {
  const script = fileURLToPath(new URL('../vectors.mjs', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  log(stdout.split('\n')[0])
  check('vectors.mjs --check', status === 0 ? undefined : stdout + stderr)
}
