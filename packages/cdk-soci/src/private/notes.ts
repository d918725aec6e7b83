import { Annotations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** The CDK has messages that can be acknowledged since 2.93. */
type OlderAnnotations = Partial<Annotations> & Pick<Annotations, 'addInfo' | 'addWarning'>

/** Prints a message of the construct when the app is synthesized. `Annotations.of(scope).acknowledgeInfo(id)` silences it. */
export function inform(construct: IConstruct, id: string, message: string): void {
  const annotations: OlderAnnotations = Annotations.of(construct)
  if (annotations.addInfoV2 === undefined) annotations.addInfo(message)
  else annotations.addInfoV2(id, message)
}

/** Prints a warning of the construct when the app is synthesized. `Annotations.of(scope).acknowledgeWarning(id)` silences it. */
export function warn(construct: IConstruct, id: string, message: string): void {
  const annotations: OlderAnnotations = Annotations.of(construct)
  if (annotations.addWarningV2 === undefined) annotations.addWarning(message)
  else annotations.addWarningV2(id, message)
}
