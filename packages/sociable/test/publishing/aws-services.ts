// Doubles of the AWS services that publishing asks besides Amazon ECR.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface AwsServices {
  /** For all of them. */
  readonly url: string
  /** What STS was asked. */
  readonly asked: readonly URLSearchParams[]
}

/**
 * STS's query API, which says who we are and gives credentials for roles that are not refused; and of Systems Manager the parameter that has the version of CDK's
 * bootstrap stack. Everything else is refused.
 */
export async function startAwsServices(
  t: TestContext,
  refuse: (role: string) => boolean = () => false,
): Promise<AwsServices> {
  const asked: URLSearchParams[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.headers['x-amz-target'] === 'AmazonSSM.GetParameter')
      return response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ Parameter: { Name: 'version', Value: '30' } }))
    const query = new URLSearchParams(body)
    const action = query.get('Action')!
    const fail = (code: string, message: string) =>
      response
        .writeHead(403, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
        )
    const result = RESULTS[action]
    if (result === undefined) return fail('AccessDenied', `no ${action}`)
    asked.push(query)
    if (action === 'AssumeRole' && refuse(query.get('RoleArn')!))
      return fail('AccessDenied', 'not authorized to assume')
    const document = `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result></${action}Response>`
    return response.writeHead(200, { 'content-type': 'text/xml' }).end(document)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const RESULTS: Readonly<Record<string, string>> = {
  AssumeRole:
    '<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>',
  GetCallerIdentity: '<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>U</UserId>',
}
