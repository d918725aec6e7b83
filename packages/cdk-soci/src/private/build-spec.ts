/** Environment variables between the function that starts a build, the build, and the function that answers: the handlers have the same names. */
const RESULT_VARIABLE = 'SOCI_RESULT'
const RESULT_FILE = 'soci-result.json'

/** Node.js of the image: the images' newest that both architectures have. */
const NODE = '22'

/**
 * What a build does (version 0.2 of "Build specification reference" in CodeBuild's user guide). Its source is the handlers' bundle. A build whose work
 * failed tells the cause by the exported variable, and then fails as well; the commands run in one shell.
 */
export const BUILD_SPEC = {
  version: '0.2',
  env: { 'exported-variables': [RESULT_VARIABLE] },
  phases: {
    install: { 'runtime-versions': { nodejs: NODE } },
    build: {
      commands: [
        `node --input-type=module -e "import { runBuild } from './index.js'; await runBuild('${RESULT_FILE}')"`,
        `export ${RESULT_VARIABLE}="$(cat ${RESULT_FILE})"`,
        `node -e "process.exitCode = 'failed' in JSON.parse(process.env.${RESULT_VARIABLE}) ? 1 : 0"`,
      ],
    },
  },
} as const
