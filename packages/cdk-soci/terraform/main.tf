terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  timeout           = 900 # seconds, Lambda's limit
  max_receive_count = 5
  is_v2             = var.index_version == "V2"
  arn               = "arn:${data.aws_partition.current.partition}"
  place             = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  event_bus         = "${local.arn}:events:${local.place}:event-bus/default"
  repositories      = distinct([for filter in var.filters : "${local.arn}:ecr:${local.place}:repository/${split(":", filter)[0]}"])
}

resource "aws_sqs_queue" "dead_letters" {
  name_prefix               = "${var.name_prefix}dead-"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "pushes" {
  name_prefix                = var.name_prefix
  visibility_timeout_seconds = 6 * local.timeout
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = local.max_receive_count
  })
}

data "aws_iam_policy_document" "pushes" {
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.pushes.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.pushes.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = concat([aws_cloudwatch_event_rule.pushed.arn], aws_cloudwatch_event_rule.reconcile[*].arn)
    }
  }
}

resource "aws_sqs_queue_policy" "pushes" {
  queue_url = aws_sqs_queue.pushes.id
  policy    = data.aws_iam_policy_document.pushes.json
}

data "aws_iam_policy_document" "dead_letters" {
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.dead_letters.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = data.aws_iam_policy_document.dead_letters.json
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  name_prefix          = var.name_prefix
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary
}

resource "aws_cloudwatch_log_group" "function" {
  name_prefix       = "/${var.name_prefix}"
  retention_in_days = var.log_retention_days
}

data "aws_iam_policy_document" "function" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # it has no resource
  }

  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = local.repositories
  }

  statement {
    actions   = ["ecr:DescribeRepositories"] # the reconcile run lists them
    resources = ["${local.arn}:ecr:${local.place}:repository/*"]
  }

  statement {
    actions = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = [aws_sqs_queue.pushes.arn]
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    actions   = ["events:PutEvents"]
    resources = [local.event_bus]
  }
}

resource "aws_iam_role_policy" "function" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_lambda_function" "function" {
  function_name    = "${var.name_prefix}${substr(sha256(aws_sqs_queue.pushes.arn), 0, 8)}"
  description      = "Builds SOCI indexes for images that are pushed to Amazon ECR"
  filename         = var.handler_zip
  source_code_hash = filebase64sha256(var.handler_zip)
  handler          = "index.onPushHandler"
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  memory_size      = var.memory_size
  timeout          = local.timeout
  role             = aws_iam_role.function.arn

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  environment {
    variables = {
      SOCI_FILTERS               = join(",", var.filters)
      SOCI_INDEX_VERSION         = var.index_version
      SOCI_OUTPUT_TAG            = "{tag}-soci"
      SOCI_EVENT_BUS             = local.event_bus
      SOCI_METRICS_NAMESPACE     = "Sociable"
      SOCI_RECONCILE_DAYS        = tostring(max(var.reconcile_days, 1))
      SOCI_QUEUE_URL             = aws_sqs_queue.pushes.url
      SOCI_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
      SOCI_MAX_RECEIVE_COUNT     = tostring(local.max_receive_count)
    }
  }
}

resource "aws_lambda_event_source_mapping" "pushes" {
  event_source_arn        = aws_sqs_queue.pushes.arn
  function_name           = aws_lambda_function.function.arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.max_concurrency
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_cloudwatch_event_rule" "pushed" {
  name_prefix = var.name_prefix
  description = "Images that are pushed to Amazon ECR get a SOCI index"

  event_pattern = jsonencode({
    source        = ["aws.ecr"]
    "detail-type" = ["ECR Image Action"]
    detail = merge(
      { "action-type" = ["PUSH"], result = ["SUCCESS"] },
      local.is_v2 ? { "image-tag" = [{ "anything-but" = { wildcard = "*-soci" } }] } : {},
    )
  })
}

resource "aws_cloudwatch_event_target" "pushed" {
  rule = aws_cloudwatch_event_rule.pushed.name
  arn  = aws_sqs_queue.pushes.arn
}

resource "aws_cloudwatch_event_rule" "reconcile" {
  count               = var.reconcile_days > 0 ? 1 : 0
  name_prefix         = "${var.name_prefix}reconcile-"
  description         = "Looks for images without a SOCI index that Amazon ECR did not report"
  schedule_expression = "rate(1 day)"
}

resource "aws_cloudwatch_event_target" "reconcile" {
  count = var.reconcile_days > 0 ? 1 : 0
  rule  = aws_cloudwatch_event_rule.reconcile[0].name
  arn   = aws_sqs_queue.pushes.arn
  input = jsonencode({ reconcile = true })
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name_prefix}${substr(sha256(aws_sqs_queue.dead_letters.arn), 0, 8)}"
  alarm_description   = "Images could not be indexed. The attribute `reason` of a message says why"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
}
