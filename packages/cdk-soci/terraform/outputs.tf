output "queue_url" {
  description = "Pushes come through this queue"
  value       = aws_sqs_queue.pushes.url
}

output "dead_letter_queue_url" {
  description = "Has the pushes that failed for good"
  value       = aws_sqs_queue.dead_letters.url
}

output "function_name" {
  description = "Indexes images. Dimension FunctionName of the metrics in the namespace Sociable"
  value       = aws_lambda_function.function.function_name
}

output "log_group_name" {
  description = "Log of the function"
  value       = aws_cloudwatch_log_group.function.name
}
