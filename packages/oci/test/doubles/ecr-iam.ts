// What IAM has to say to the requests of an ECR registry: which actions they are ("Required IAM permissions for pushing an image" and "Private registry
// policy" in the Amazon ECR user guide; a referrers list is read with ecr:BatchGetImage, says ListImageReferrers in the API reference).

/** An action that was asked for, and on what. */
export interface EcrCall {
  /** `ecr:PutImage` */
  readonly action: string
  /** Name of the repository; undefined where the action is on none (`*`). */
  readonly repository: string | undefined
  readonly allowed: boolean
}

/** Whether a login may do this. */
export type EcrPolicy = (action: string, repository: string | undefined) => boolean

/** @param kind what follows the repository in the path, `last` what follows that */
export function actionsOf(method: string, kind: string, last: string, parameters: URLSearchParams): readonly string[] {
  const reads = method === 'GET' || method === 'HEAD'
  if (kind === 'referrers' || (kind === 'manifests' && reads)) return ['ecr:BatchGetImage']
  if (kind === 'manifests') return ['ecr:PutImage']
  if (kind === 'tags') return ['ecr:ListImages']
  if (!last.startsWith('uploads/'))
    return [method === 'HEAD' ? 'ecr:BatchCheckLayerAvailability' : 'ecr:GetDownloadUrlForLayer']
  const finishes = method === 'PUT' || (method === 'POST' && parameters.has('digest'))
  return [
    ...(method === 'POST' ? ['ecr:InitiateLayerUpload'] : []),
    ...(method === 'PATCH' || finishes ? ['ecr:UploadLayerPart'] : []),
    ...(finishes ? ['ecr:CompleteLayerUpload'] : []),
  ]
}

/** As AWS words it. */
export function refusal(action: string, resource: string): string {
  return `User: arn:aws:sts::123456789012:assumed-role/handler/invocation is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`
}
