// What runs in a build: `node --input-type=module -e "import { runBuild } from './index.js'; await runBuild('result.json')"`.
import { writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { withWork } from '../answer-event.js'
import { buildAttached } from '../build-attached.js'
import { buildImage } from '../build-image.js'
import type { CloudFormationEvent } from '../event.js'
import { explain } from '../explain.js'
import { parseIndexRequest } from '../index-request.js'
import { log } from '../log.js'
import type { Outcome } from '../work.js'
import { EVENT_VARIABLE, unpackEvent } from './packed-event.js'

/** Characters of a reason: it goes on as the value of an environment variable. */
const REASON_LIMIT = 1_000

/** Does the work of the event in the build's environment. Never throws: what goes wrong stands in the file, as `{"failed": "why"}`. */
export async function runBuild(resultFile: string): Promise<void> {
  const event = unpackEvent(process.env[EVENT_VARIABLE])
  const result = event === undefined ? { failed: `${EVENT_VARIABLE} is not a packed event` } : await perform(event)
  await writeFile(resultFile, JSON.stringify(result))
}

async function perform(event: CloudFormationEvent): Promise<Outcome | { readonly failed: string }> {
  try {
    const request = parseIndexRequest(event.ResourceProperties)
    const build = request.format === 'v2' ? buildImage : buildAttached
    const { reason, ...outcome } = await withWork(event, request, machine(), new AbortController().signal, build)
    return { ...outcome, reason: reason.slice(0, REASON_LIMIT) }
  } catch (error) {
    log('failed', { error: error instanceof Error ? error.stack : String(error) })
    return { failed: explain(error).slice(0, REASON_LIMIT) }
  }
}

/** The build's machine, told as a function is; its time is CodeBuild's to end. */
function machine() {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  return { memoryLimitInMB: String(Math.floor(memory / (1 << 20))) }
}
