export * from './error.js'
export type * from './toc.js'
export type * from './types.js'
export { decodeZtoc } from './ztoc-decode.js'
