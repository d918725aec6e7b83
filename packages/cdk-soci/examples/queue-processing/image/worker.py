import os

import boto3

queue = boto3.resource("sqs").Queue(os.environ["QUEUE_NAME"])
while True:
    for message in queue.receive_messages(WaitTimeSeconds=20):
        print(message.body, flush=True)
        message.delete()
