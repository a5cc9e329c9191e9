import { testBackend } from './backend.js';
import { openFolder } from './stores.js';

testBackend('directory', openFolder);
