"""Receives what a service tells systemd: prints each datagram as a line of JSON. Its argument is the socket's path."""

import json
import socket
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
