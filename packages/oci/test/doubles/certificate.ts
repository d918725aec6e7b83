import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { bits, boolean, der, integer, objectId, octets, sequence, set, utcTime, utf8 } from './der.js'

export interface Certificate {
  /** PEM; also what a client must trust (`NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`, undici's `connect.ca`). */
  readonly certificate: string
  /** PEM of its private key. */
  readonly key: string
  /** DER, in base64: an entry of a JWT's `x5c`. */
  readonly x5c: string
  readonly privateKey: KeyObject
}

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))

/**
 * A certificate for 127.0.0.1 and localhost that signed itself (RFC 5280), of a new P-256 key. Without OpenSSL's command, which not every machine has.
 * @param others names that it is for, too
 */
export function selfSignedCertificate(others: readonly string[] = []): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' })
  // DER has no integer that begins with a zero byte without need, as one hash of 512 would
  const hash = createHash('sha256').update(publicInfo).digest()
  const serial = Buffer.concat([Buffer.from([1]), hash.subarray(0, 15)])
  const name = sequence(set(sequence(objectId('2.5.4.3'), utf8('sociable test'))))
  const dnsNames = ['localhost', ...others].map((other) => der(0x82, Buffer.from(other)))
  const names = sequence(...dnsNames, der(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = sequence(
    sequence(objectId('2.5.29.17'), octets(names)), // subjectAltName
    sequence(objectId('2.5.29.19'), boolean(true), octets(sequence(boolean(true)))), // basicConstraints: a CA
  )
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name,
    publicInfo,
    der(0xa3, extensions),
  )
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, privateKey)))
  const base64 = certificate.toString('base64')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    x5c: base64,
    privateKey,
  }
}
