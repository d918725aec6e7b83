// For tests that run with the newest CDK only, and therefore stand apart.
export { IMAGE } from './synthesis/support.js'
export * from './synthesis/templates.js'
