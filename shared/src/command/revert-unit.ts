/** The unit of the revert of a guarded change, without the ending that says of which kind it is. */
export const revertUnit = (name: string): string => `infra-revert-${name}`
