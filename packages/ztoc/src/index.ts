export * from './error.js'
export type * from './types.js'
