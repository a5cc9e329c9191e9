import type { FastifyInstance } from 'fastify';
import type { MetricsOfWorkers } from './gateway/workers.js';
import type { Prometheus } from './http/server-packages.js';
import type { ServedIndex } from './served-index.js';

/**
 * Measures requests and the index for Prometheus. Figures of the index are the same in every worker, so of several the
 * largest counts; everything else is summed.
 */
export function addMetrics(
  app: FastifyInstance,
  served: ServedIndex,
  prometheus: Prometheus,
  ofWorkers: MetricsOfWorkers | undefined,
): void {
  const registry = new prometheus.Registry();
  ofWorkers?.contribute(registry);
  const registers = [registry];
  prometheus.collectDefaultMetrics({ register: registry, prefix: 'semantic_index_' });
  const duration = new prometheus.Histogram({
    name: 'semantic_index_http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const gauge = (name: string, help: string) =>
    new prometheus.Gauge({ name: `semantic_index_${name}`, help, aggregator: 'max', registers });
  const documents = gauge('documents', 'Documents in the index.');
  const segments = gauge('segments', 'Segments of the index.');
  const tail = gauge('tail_documents', 'Documents without a forest, which are scanned.');
  const databaseBytes = gauge('database_bytes', 'Size of the database.');
  const segmentBytes = gauge('segment_bytes', 'Size of the segments.');
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    // Unknown addresses share one label: a scanner must not create thousands.
    const route = routeOptions.url ?? 'none';
    duration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_, reply) => {
    if (served.state === 'ok') {
      const stats = await served.index.stats();
      documents.set(stats.documents);
      segments.set(stats.segments.length);
      tail.set(stats.tail);
      databaseBytes.set(stats.bytes.database);
      segmentBytes.set(stats.bytes.segments);
    }
    const metrics = (await ofWorkers?.read()) ?? (await registry.metrics());
    return reply.type(registry.contentType).send(metrics);
  });
}
