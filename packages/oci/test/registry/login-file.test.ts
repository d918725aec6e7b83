import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { authFile } from '../../src/registry/credentials/auth-file.js'
import { removeLogin, saveLogin } from '../../src/registry/credentials/login-file.js'
import { temporaryFolder } from '../tools.js'

const LOGIN = { username: 'user', password: 'pass:word' }
const AUTH = Buffer.from('user:pass:word').toString('base64')

function configFile(t: TestContext, config?: unknown): string {
  const file = join(temporaryFolder(t), 'config.json')
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
  return file
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
const found = async (file: string, registry: string) => {
  const credential = await authFile(file)(registry)
  return credential?.kind === 'password' ? `${credential.username}/${credential.password}` : undefined
}

test('a login is saved for its owner only, in folders that are made, and found again', async (t) => {
  const file = join(temporaryFolder(t), 'home', '.docker', 'config.json')
  assert.equal(await saveLogin(file, 'a.test:5000', LOGIN), file)
  assert.deepEqual(read(file), { auths: { 'a.test:5000': { auth: AUTH } } })
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(await found(file, 'a.test:5000'), 'user/pass:word')
  assert.deepEqual(readdirSync(join(file, '..')), ['config.json'])
})

test('everything else in the file stays, with its mode; other spellings of the registry go', async (t) => {
  const others = { credHelpers: { 'x.test': 'x' }, HttpHeaders: { a: 'b' }, currentContext: 'c' }
  const kept = { 'b.test': { auth: 'Yjpi' }, 'a.test/team': { auth: 'dDp0' } }
  const file = configFile(t, { ...others, auths: { 'https://a.test/v2/': { auth: 'bzpv' }, 'A.test': {}, ...kept } })
  chmodSync(file, 0o640)
  await saveLogin(file, 'a.test', LOGIN)
  assert.deepEqual(read(file), { ...others, auths: { ...kept, 'a.test': { auth: AUTH } } })
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.equal(await removeLogin(file, 'a.test'), true)
  assert.deepEqual(read(file), { ...others, auths: kept })
  assert.equal(await removeLogin(file, 'a.test'), false)
})

test("Docker Hub's login has the name that Docker gives it", async (t) => {
  const file = configFile(t, {})
  await saveLogin(file, 'docker.io', LOGIN)
  assert.deepEqual(read(file), { auths: { 'https://index.docker.io/v1/': { auth: AUTH } } })
  assert.equal(await found(file, 'docker.io'), 'user/pass:word')
  assert.equal(await removeLogin(file, 'docker.io'), true)
})

test('a link to the file stays one', { skip: process.platform === 'win32' }, async (t) => {
  const file = configFile(t, {})
  const link = join(temporaryFolder(t), 'config.json')
  symlinkSync(file, link)
  await saveLogin(link, 'a.test', LOGIN)
  assert.deepEqual(read(file), { auths: { 'a.test': { auth: AUTH } } })
  assert.ok(statSync(link).isFile())
})

test('a file that is not valid is left as it is, and its content is in no message', async (t) => {
  for (const text of ['{"auths": {"a.test": {"auth": "c2VjcmV0"}', '["c2VjcmV0"]', 'null']) {
    const file = configFile(t, text)
    for (const change of [() => saveLogin(file, 'a.test', LOGIN), () => removeLogin(file, 'a.test')])
      await assert.rejects(change, (error: Error) => {
        assert.match(error.message, /config\.json is not (?:valid JSON|a JSON object): correct it, or move it away$/)
        assert.doesNotMatch(error.message, /c2VjcmV0/)
        return true
      })
    assert.equal(readFileSync(file, 'utf8'), text)
  }
})

test('a credential helper keeps the login where one is configured', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t)
  const kept = join(folder, 'kept')
  const program = join(folder, 'docker-credential-keep')
  const script = `case $1 in store) cat > '${kept}';; erase) test "$(cat)" = a.test && rm '${kept}';; *) exit 9;; esac`
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const before = process.env.PATH
  process.env.PATH = `${folder}${delimiter}${before}`
  t.after(() => {
    process.env.PATH = before
  })
  const file = configFile(t, { credsStore: 'keep', auths: { 'a.test': { auth: 'bzpv' } } })
  assert.equal(await saveLogin(file, 'a.test', LOGIN), 'docker-credential-keep')
  assert.deepEqual(read(kept), { ServerURL: 'a.test', Username: 'user', Secret: 'pass:word' })
  assert.deepEqual(read(file), { credsStore: 'keep', auths: { 'a.test': {} } })
  assert.equal(await removeLogin(file, 'a.test'), true)
  assert.equal(existsSync(kept), false)
  assert.deepEqual(read(file), { credsStore: 'keep', auths: {} })
  // One that fails changes nothing
  writeFileSync(program, "#!/bin/sh\necho 'pass:word is too simple'; exit 2\n")
  const changed = readFileSync(file, 'utf8')
  await assert.rejects(saveLogin(file, 'a.test', LOGIN), {
    message: 'docker-credential-keep did not store the login: it failed with status 2',
  })
  assert.equal(readFileSync(file, 'utf8'), changed)
})
