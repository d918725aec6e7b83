// Asks the oracle a batch of questions, one process for all of them, and outlives its deaths.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * Answers in the order of the requests. A request that kills the process or takes longer than `timeout` ms is answered
 * `{ verdict: 'crashes', error }`, and the ones after it go to a new process.
 */
export async function ask(oracle, command, requests, { timeout = 60_000 } = {}) {
  const answers = []
  while (answers.length < requests.length) {
    const end = await converse(oracle, command, requests.slice(answers.length), timeout, (answer) =>
      answers.push(answer),
    )
    if (end.wrong) throw new Error(`oracle ${command}: ${end.error}`)
    if (answers.length < requests.length) answers.push({ verdict: 'crashes', error: end.error })
  }
  return answers
}

function converse(oracle, command, requests, timeout, onAnswer) {
  return new Promise((resolve, reject) => {
    const child = spawn(oracle, [command], { env: { ...process.env, TZ: 'UTC' }, stdio: ['pipe', 'pipe', 'pipe'] })
    let stderr = ''
    let late = false
    const watch = () =>
      setTimeout(() => {
        late = true
        child.kill('SIGKILL')
      }, timeout)
    let timer = watch()
    child.on('error', reject)
    child.stderr.on('data', (data) => {
      stderr = (stderr + data).slice(0, 4000)
    })
    child.stdin.on('error', () => {}) // it died; 'close' tells how
    createInterface({ input: child.stdout }).on('line', (line) => {
      clearTimeout(timer)
      timer = watch()
      onAnswer(JSON.parse(line))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const fatal = /^(fatal error|panic|SIG\w+)[^\n]*/m.exec(stderr)?.[0]
      const how = late ? `no answer within ${timeout} ms` : (fatal ?? signal ?? `exit status ${code}`)
      resolve({ error: how, wrong: code === 2 && !fatal })
    })
    child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''))
  })
}
