/** The service. Nothing is loaded before it hears signals. */
import './earlyStop.ts';

await import('./runCollector.ts');
