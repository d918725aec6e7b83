import { type Profile, parseProfile } from 'sociable'
import { withAwsClient } from './aws-client.js'
import type { S3Location } from './index-request.js'

/** Bytes: the library takes no more. */
const LIMIT = 64 << 20

/** @throws Error with the object's name where it is not a profile; the SDK's errors with it where it cannot be read */
export async function readProfile({ bucket, key }: S3Location, signal: AbortSignal): Promise<Profile> {
  const name = `s3://${bucket}/${key}`
  const text = await read(bucket, key, signal).catch((cause: Error) => {
    signal.throwIfAborted()
    throw new Error(`the profile ${name} cannot be read: ${cause.name}: ${cause.message}`, { cause })
  })
  try {
    return parseProfile(text)
  } catch (cause) {
    throw new Error(`${name} is not a profile: ${(cause as Error).message}`, { cause })
  }
}

async function read(bucket: string, key: string, signal: AbortSignal): Promise<string> {
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  return await withAwsClient(
    (options) => new S3Client(options),
    async (client) => {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key })
      const { Body, ContentLength = 0 } = await client.send(command, { abortSignal: signal })
      if (ContentLength > LIMIT) throw new Error(`it has ${ContentLength} bytes, more than ${LIMIT}`)
      return (await Body?.transformToString()) ?? ''
    },
  )
}
