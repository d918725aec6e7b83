// What Lambda runs a handler with, as far as the handler can tell: started by `lambda.ts` with nothing around it but the asset.
import { pathToFileURL } from 'node:url'
import type { InvocationMessage, RuntimeMessage } from './lambda.js'

const started = performance.now()
const tell = (message: RuntimeMessage) => void process.send!(message)

const [file = '', name = 'handler'] = process.argv.slice(2)
const module = (await import(pathToFileURL(file).href)) as Record<string, (event: unknown, context: object) => unknown>
tell({ kind: 'ready', milliseconds: performance.now() - started })

process.on('message', async ({ event, context, time }: InvocationMessage) => {
  const end = performance.now() + time
  const remaining = () => end - performance.now()
  try {
    tell({ kind: 'result', value: await module[name]!(event, { ...context, getRemainingTimeInMillis: remaining }) })
  } catch (error) {
    const { name: errorType, message } = error as Error
    tell({ kind: 'error', errorType, errorMessage: message })
  }
})
