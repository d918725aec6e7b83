import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReference, type ImageReference, parseReference, referenceWithin } from '../../src/document/reference.js'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const hex64 = digest.slice(7)

const forms: readonly [string, ImageReference, formatted?: string][] = [
  ['oci:./image', { transport: 'oci', path: './image' }],
  ['oci:/a/b:v1', { transport: 'oci', path: '/a/b', tag: 'v1' }],
  ['oci:image:docker.io/library/app:1', { transport: 'oci', path: 'image', tag: 'docker.io/library/app:1' }],
  [`oci:image@${digest}`, { transport: 'oci', path: 'image', digest }],
  [`oci:image:v1@${digest}`, { transport: 'oci', path: 'image', tag: 'v1', digest }],
  ['oci:user@host/image:v1', { transport: 'oci', path: 'user@host/image', tag: 'v1' }],
  ['oci:C:\\images\\app', { transport: 'oci', path: 'C:\\images\\app' }],
  ['oci:C:\\images\\app:v1', { transport: 'oci', path: 'C:\\images\\app', tag: 'v1' }],
  ['oci-archive:d:/images/app.tar:v1', { transport: 'oci-archive', path: 'd:/images/app.tar', tag: 'v1' }],
  ['oci:C:/images/app:v1', { transport: 'oci', path: 'C:/images/app', tag: 'v1' }],
  ['oci:\\\\?\\C:\\images\\app:v1', { transport: 'oci', path: '\\\\?\\C:\\images\\app', tag: 'v1' }],
  ['oci:\\\\server\\share\\app:v1', { transport: 'oci', path: '\\\\server\\share\\app', tag: 'v1' }],
  ['oci:c:v1', { transport: 'oci', path: 'c', tag: 'v1' }],
  ['oci:-', { transport: 'oci', path: '-' }],
  ['oci-archive:app.tar', { transport: 'oci-archive', path: 'app.tar' }],
  ['docker-archive:app.tar:repo/app:1.0', { transport: 'docker-archive', path: 'app.tar', tag: 'repo/app:1.0' }],
  ['-', { transport: 'oci-archive', path: '-' }, 'oci-archive:-'],
  ['oci-archive:-:v1', { transport: 'oci-archive', path: '-', tag: 'v1' }],
  ['memory:', { transport: 'memory' }],
  [`memory:v1@${digest}`, { transport: 'memory', tag: 'v1', digest }],
  ['alpine', registry('docker.io', 'library/alpine', 'latest'), 'docker.io/library/alpine:latest'],
  ['alpine:3.20', registry('docker.io', 'library/alpine', '3.20'), 'docker.io/library/alpine:3.20'],
  ['docker.io/alpine', registry('docker.io', 'library/alpine', 'latest'), 'docker.io/library/alpine:latest'],
  ['index.docker.io/a/b:1', registry('docker.io', 'a/b', '1'), 'docker.io/a/b:1'],
  ['user/app', registry('docker.io', 'user/app', 'latest'), 'docker.io/user/app:latest'],
  ['localhost/app', registry('localhost', 'app', 'latest'), 'localhost/app:latest'],
  ['localhost:5000/a/b/c:x', registry('localhost:5000', 'a/b/c', 'x')],
  ['[::1]:5000/app:x', registry('[::1]:5000', 'app', 'x')],
  ['host.example/app', registry('host.example', 'app', 'latest'), 'host.example/app:latest'],
  ['HOST/app:1', registry('HOST', 'app', '1')],
  ['docker://host.example/app:1', registry('host.example', 'app', '1'), 'host.example/app:1'],
  [`host.example:443/a__b/c--d.e@${digest}`, { ...registry('host.example:443', 'a__b/c--d.e'), digest }],
  [`app:1@${digest}`, { ...registry('docker.io', 'library/app', '1'), digest }, `docker.io/library/app:1@${digest}`],
  [
    `x/${'a'.repeat(253)}`,
    registry('docker.io', `x/${'a'.repeat(253)}`, 'latest'),
    `docker.io/x/${'a'.repeat(253)}:latest`,
  ],
]

function registry(host: string, repository: string, tag?: string): ImageReference {
  return { transport: 'registry', registry: host, repository, ...(tag !== undefined && { tag }) }
}

test('every form is taken apart and put together again', () => {
  for (const [text, reference, formatted = text] of forms) {
    assert.deepEqual(parseReference(text), reference, text)
    assert.equal(formatReference(reference), formatted)
    assert.deepEqual(parseReference(formatted), reference)
  }
})

test('what decides within a store', () => {
  assert.equal(referenceWithin(parseReference(`oci:x:v1@${digest}`)), digest)
  assert.equal(referenceWithin(parseReference('oci:x:v1')), 'v1')
  assert.equal(referenceWithin(parseReference('oci:x')), undefined)
})

test('what is not an image name is refused, with the reason', () => {
  const refused: readonly [string, RegExp][] = [
    ['', /is not a repository/],
    ['oci:', /names no folder/],
    ['oci-archive:', /names no file/],
    ['oci::v1', /names no folder/],
    ['oci:x:', /"" is not a tag/],
    ['oci:xx:/v1', /"\/v1" is not a tag/],
    ['oci:x:a b', /is not a tag/],
    ['oci:x@sha256:abc', /"sha256:abc" is not a digest/],
    [`oci:x@sha256:${hex64.toUpperCase()}`, /is not a digest/],
    ['oci:a\0b', /NUL/],
    ['Alpine', /must be in lower case/],
    ['host.example/App:1', /must be in lower case/],
    ['alpine:', /"" is not a tag/],
    ['alpine:-x', /"-x" is not a tag/],
    [`alpine:${'x'.repeat(129)}`, /is not a tag/],
    ['alpine@sha256:1234', /is not a digest/],
    [`alpine@md5:${'0'.repeat(32)}`, /is not a digest/],
    ['a//b', /is not a repository/],
    ['a/../b', /is not a repository/],
    ['a_/b', /is not a repository/],
    ['-host.example/app', /is not a registry host/],
    ['host_x.example/app', /is not a registry host/],
    ['host:port/app', /is not a registry host/],
    ['./image', /write oci:\.\/image/],
    ['/tmp/image.tar', /write oci:\/tmp\/image.tar/],
    ['dir:/tmp/x', /skopeo copy dir:PATH oci:DIR:TAG/],
    ['dir:./x', /skopeo copy dir:PATH/],
    ['dir:images/x', /skopeo copy dir:PATH/],
    ['https://host.example/app:1/', /write it without the scheme, as host\.example\/app:1$/],
    ['docker-daemon:app:1', /docker save/],
    ['containers-storage:app', /skopeo copy/],
    [hex64, /could be an image id/],
    [`x/${'a'.repeat(254)}`, /256 characters, the most is 255/],
    ['a'.repeat(1025), /1025 characters/],
    [`${'a-'.repeat(500)}`, /is not a repository/],
    ['memory:a b', /is not a tag/],
  ]
  for (const [text, message] of refused)
    assert.throws(() => parseReference(text), { name: 'ImageReferenceError', code: 'REFERENCE_INVALID', message }, text)
})
