import type { CfnResource } from 'aws-cdk-lib'

/** What the handler answers, as tokens: what uses one waits for the index. */
export interface IndexAttributes {
  readonly imageDigest: string
  readonly imageUri: string
  readonly outputImageTag: string
  readonly indexed: string
  readonly indexReason: string
}

export function attributesOf(resource: CfnResource): IndexAttributes {
  const attribute = (name: keyof IndexAttributes) => resource.getAtt(name).toString()
  return {
    imageDigest: attribute('imageDigest'),
    imageUri: attribute('imageUri'),
    outputImageTag: attribute('outputImageTag'),
    indexed: attribute('indexed'),
    indexReason: attribute('indexReason'),
  }
}
