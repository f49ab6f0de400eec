/** The Buffer of Node for browsers. The build gives it to every module that uses the global of that name. */
export { Buffer } from 'buffer/';
