import { SemanticIndexError } from '../../index.js';

/** The module prom-client. */
export type Prometheus = typeof import('prom-client');

const names = ['fastify', '@fastify/swagger', 'prom-client'];

/**
 * The packages that the service is made of, loaded when they are needed.
 *
 * @throws MISSING_PEER with the command that installs them.
 */
export async function serverPackages() {
  try {
    const [{ fastify }, { fastifySwagger }, prometheus] = await Promise.all([
      import('fastify'),
      import('@fastify/swagger'),
      import('prom-client'),
    ]);
    return { fastify, fastifySwagger, prometheus };
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', `The service needs the packages ${names.join(', ')}`, {
      hint: `npm install ${names.join(' ')}`,
      cause,
    });
  }
}
