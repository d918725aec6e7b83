import { spawn } from 'node:child_process'
import type { Credential } from './credential.js'

const TIMEOUT = 60_000 // ms; one may ask its user
const OUTPUT = 1 << 20 // bytes
const AFTER_EXIT = 200 // ms
/** That is how "none" is said (docker-credential-helpers, credentials/error.go). */
const NOT_FOUND = /credentials not found/i

/**
 * Asks `docker-credential-NAME get` (docker-credential-helpers, README "Usage": the server's name on its standard input, JSON on its standard
 * output). Undefined where it knows none.
 * @throws Error of one line, without secrets, where it cannot be run or fails
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  const program = programOf(name)
  const { status, output } = await run(program, 'get', server, signal)
  if (status !== 0) {
    if (NOT_FOUND.test(output)) return undefined
    // Nothing of what it says is shown: it may be the secret, or a hint of it
    throw new Error(`${program} failed with status ${status}`)
  }
  const json = parse(output)
  if (typeof json?.Secret !== 'string' || typeof json.Username !== 'string')
    throw new Error(`${program} returned an unreadable credential`)
  if (json.Secret === '') return undefined
  const source = `the login kept by ${program}`
  return json.Username === '<token>'
    ? { kind: 'identity-token', token: json.Secret, source }
    : { kind: 'password', username: json.Username, password: json.Secret, source }
}

/** Has it keep a login (`store`). @throws Error of one line, without secrets */
export async function storeInHelper(
  name: string,
  { server, username, secret }: { readonly server: string; readonly username: string; readonly secret: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const program = programOf(name)
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret })
  const { status } = await run(program, 'store', input, signal)
  if (status !== 0) throw new Error(`${program} did not store the login: it failed with status ${status}`)
}

/** Has it forget a login (`erase`); one that it does not know is not an error. @throws Error of one line, without secrets */
export async function eraseInHelper(name: string, server: string, signal: AbortSignal | undefined): Promise<void> {
  const program = programOf(name)
  const { status, output } = await run(program, 'erase', server, signal)
  if (status !== 0 && !NOT_FOUND.test(output)) throw new Error(`${program} failed with status ${status}`)
}

/** @throws Error for a name that is not one: a configuration names a program on PATH, not a way to one */
function programOf(name: string): string {
  if (!/^[\w][\w.-]*$/.test(name)) throw new Error(`"${name.slice(0, 100)}" is not a valid name of a credential helper`)
  return `docker-credential-${name}`
}

function run(
  program: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const child = spawn(program, [action], { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true })
    const chunks: Uint8Array[] = []
    let size = 0
    const end = (error: unknown) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      child.stdout.destroy() // what it has started may still write
      child.kill()
      reject(error)
    }
    const onAbort = () => end(signal?.reason)
    const timer = setTimeout(
      () => end(new Error(`${program} returned nothing within ${TIMEOUT / 1000} seconds`)),
      TIMEOUT,
    )
    signal?.addEventListener('abort', onAbort)
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT'
      end(new Error(missing ? `${program} is not installed` : `${program} cannot be run: ${error.message}`))
    })
    child.stdin.on('error', () => {}) // one that does not read
    child.stdin.end(input)
    child.stdout.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > OUTPUT) end(new Error(`${program} returned more than ${OUTPUT} bytes`))
      else chunks.push(chunk)
    })
    const done = (status: number | null) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      child.stdout.destroy()
      resolve({ status, output: new TextDecoder().decode(Buffer.concat(chunks)) })
    }
    child.on('close', done)
    // A process that it has started may keep its output open: what it wrote itself is there shortly after its end
    child.on('exit', (status) => setTimeout(done, AFTER_EXIT, status))
  })
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
