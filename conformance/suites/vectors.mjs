// What is committed is still what the recipes make and the reference answers. (That ours answers so too is in `npm test`.)
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const name = 'golden vectors'

export function run({ check, log }) {
  for (const script of ['vectors.mjs', 'tar-fuzz.mjs']) {
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [path, '--check'], { encoding: 'utf8' })
    log(`${script}: ${stdout.trim().split('\n')[0]}`)
    check(`${script} --check`, status === 0 ? undefined : stdout + stderr)
  }
}
