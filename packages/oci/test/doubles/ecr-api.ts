// Amazon ECR's own API, as far as the AWS SDK is used for it (Amazon ECR API reference: GetAuthorizationToken, DescribeRepositories).
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface EcrApiState {
  readonly account: string
  authorizationToken(): string
  /** What a repository says of its tags; undefined where the login may not ask. */
  tagRules(repository: string): Readonly<Record<string, unknown>> | undefined
}

export async function answerEcrApi(
  request: IncomingMessage,
  response: ServerResponse,
  state: EcrApiState,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const action = String(request.headers['x-amz-target'] ?? '').split('.')[1]
  const answer = (status: number, document: object) => {
    const body = JSON.stringify(document)
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(body) }
    response.writeHead(status, headers).end(body)
  }
  if (action === 'GetAuthorizationToken') {
    const proxyEndpoint = `http://${request.headers.host}`
    const expiresAt = Math.floor(Date.now() / 1000) + 12 * 3600
    return answer(200, {
      authorizationData: [{ authorizationToken: state.authorizationToken(), expiresAt, proxyEndpoint }],
    })
  }
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as { registryId: string; repositoryNames: string[] }
  const [repositoryName = ''] = asked.repositoryNames
  const rules = state.tagRules(repositoryName)
  if (action !== 'DescribeRepositories' || rules === undefined)
    return answer(400, { __type: 'AccessDeniedException', message: `not authorized to perform: ecr:${action}` })
  if (asked.registryId !== state.account)
    return answer(400, { __type: 'RepositoryNotFoundException', message: `not in registry '${asked.registryId}'` })
  answer(200, { repositories: [{ registryId: state.account, repositoryName, ...rules }] })
}
