export const producers = []
export async function makeProduced() {}
